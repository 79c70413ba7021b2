/**
 * What a variant changes on pages is judged where its value is written, so that whatever is published can be done: its shape, selectors
 * that can be matched while a page streams by, and regular expressions that cannot run forever.
 */

import { isElementEdit, readPageEdits } from "../contracts/page-edits.ts";
import type { Edit, PageEdits, UrlRule } from "../contracts/page-edits.ts";
import type { FieldError } from "../contracts/problem.ts";
import { validateCondition } from "../core/index.ts";
import type { Json } from "../core/index.ts";
import { impossible } from "./edit-place.ts";
import { isStreamable } from "./selector.ts";

const selectorAdvice =
  "Not a selector that can be matched while the page streams: use types, #ids, .classes, [attributes], :not(), :nth-child(), :first-child, :nth-of-type(), :first-of-type, descendants and children (>).";

/** @param pointer of the value */
export function pageEditsErrors(value: Json | undefined, pointer: string): FieldError[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  if (!Object.hasOwn(value, "pageEdits")) return [];
  const at = `${pointer}/pageEdits`;
  const read = readPageEdits(value["pageEdits"]);
  return read.ok
    ? read.value.flatMap((pages, index) => pagesErrors(pages, `${at}/${index}`))
    : read.errors.map((error) => ({ ...error, pointer: `${at}${error.pointer}` }));
}

function pagesErrors({ urls, edits }: PageEdits, at: string): FieldError[] {
  return [
    ...urls.flatMap((rule, index) => urlErrors(rule, `${at}/urls/${index}`)),
    ...edits.flatMap((edit, index) => editErrors(edit, `${at}/edits/${index}`)),
  ];
}

function editErrors(edit: Edit, at: string): FieldError[] {
  if (!isElementEdit(edit)) return [];
  if (!isStreamable(edit.selector)) return [{ pointer: `${at}/selector`, detail: selectorAdvice }];
  if (edit.action === "insert" && edit.html === "") {
    return [{ pointer: `${at}/html`, detail: "Give the HTML to insert." }];
  }
  const found = impossible(edit);
  return found === null ? [] : [{ pointer: `${at}/${found.field}`, detail: found.detail }];
}

function urlErrors(rule: UrlRule, at: string): FieldError[] {
  if ("regex" in rule) {
    const detail = regexAdvice(rule.regex);
    if (detail !== null) return [{ pointer: `${at}/regex`, detail }];
    return validateCondition({ url: { $regex: rule.regex } }).map(({ message }) => ({
      pointer: `${at}/regex`,
      detail: message,
    }));
  }
  const [kind, address] =
    "exact" in rule ? (["exact", rule.exact] as const) : (["glob", rule.glob] as const);
  const detail = addressAdvice(kind, address);
  return detail === null ? [] : [{ pointer: `${at}/${kind}`, detail }];
}

const noFragment = "What follows # never reaches a server: leave it out.";

function regexAdvice(regex: string): string | null {
  // What is in classes may be anything.
  const outside = regex.replaceAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]/g, "");
  if (outside.includes("#") || regex.includes("\\#")) return noFragment;
  if (/^\^\\?[/?]/.test(regex)) {
    return "A regex is of the whole address: begin with ^https?://, or leave out the ^.";
  }
  return null;
}

/** Null: there can be such an address. */
function addressAdvice(kind: "exact" | "glob", address: string): string | null {
  if (/[\s\p{Cc}\\]/u.test(address)) {
    return "White space and backslashes are in no address: percent-encode them.";
  }
  if (address.includes("#")) return noFragment;
  if (kind === "exact" && address.includes("*")) return "Here * is no wildcard: use glob.";
  const isPath = /^\/(?!\/)/.test(address);
  if (
    !isPath &&
    !/^https?:\/\/[^/]/.test(address) &&
    !(kind === "glob" && address.startsWith("*"))
  ) {
    return "Begin with one / for a path, or with http(s)://host (a glob also with *).";
  }
  if (isPath || address.startsWith("*")) return null;
  const sample = address.replaceAll("*", "x");
  const url = URL.canParse(sample) ? new URL(sample) : null;
  if (url === null) return "Not an address.";
  return url.username + url.password === "" ? null : "Leave out user and password.";
}
