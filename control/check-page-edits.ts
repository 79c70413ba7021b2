/**
 * What a variant changes on pages is judged where its value is written, so that whatever is published can be done: its shape, selectors
 * that can be matched while a page streams by, and regular expressions that cannot run forever.
 */

import { isElementEdit, readPageEdits } from "../contracts/page-edits.ts";
import type { PageEdits, UrlRule } from "../contracts/page-edits.ts";
import type { FieldError } from "../contracts/problem.ts";
import { validateCondition } from "../core/index.ts";
import type { Json } from "../core/index.ts";
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
    ...edits.flatMap((edit, index) =>
      !isElementEdit(edit) || isStreamable(edit.selector)
        ? []
        : [{ pointer: `${at}/edits/${index}/selector`, detail: selectorAdvice }],
    ),
  ];
}

function urlErrors(rule: UrlRule, at: string): FieldError[] {
  if (!("regex" in rule)) {
    const [[kind, address] = ["", ""]] = Object.entries(rule);
    if (/^(?:\/|https?:\/\/|\*)/.test(address)) return [];
    const detail = "Begin with / for a path, or with http(s):// (a glob also with *).";
    return [{ pointer: `${at}/${kind}`, detail }];
  }
  return validateCondition({ url: { $regex: rule.regex } }).map(({ message }) => ({
    pointer: `${at}/regex`,
    detail: message,
  }));
}
