/**
 * Edits of elements. `hasPlace` says whether an edit could be made where its selector matched, `changesElement` whether it would change
 * anything there: both are the same for every visitor. `changeAttributes` makes those of attributes.
 */

import { codeIn, voids } from "../contracts/page-edits.ts";
import type { ElementEdit } from "../contracts/page-edits.ts";
import { changesContent } from "./content-edits.ts";
import type { ContentEdit } from "./content-edits.ts";
import type { Csp } from "./csp.ts";
import type { Notes } from "./notes.ts";
import { withoutReferences } from "./references.ts";

/** Their text is code. */
const codes = new Set(["script", "style"]);
/** Their attributes load or run what they name. */
const loaders = new Set(
  "script style iframe frame object embed applet base link meta svg use animate set".split(" "),
);

interface Page {
  csp: Csp;
  notes: Notes;
}

export type AttributeEdit = Exclude<ElementEdit, ContentEdit>;

/** Whether an element may have anything in it that is shown. */
export function canHold(element: Element, onEnd: (element: Element) => void): boolean {
  const { tagName } = element;
  if (voids.has(tagName) || tagName === "noscript") return false;
  if (tagName === "template" && !element.hasAttribute("shadowrootmode")) return false;
  if (element.namespaceURI.endsWith("/xhtml")) return true;
  try {
    onEnd(element);
    return true;
  } catch {
    // Of pictures and formulas an element may end at once: <path/>.
    return false;
  }
}

export function hasPlace(
  edit: ElementEdit,
  element: Element,
  holds: boolean,
  { csp, notes }: Page,
): boolean {
  const { tagName } = element;
  if (changesContent(edit)) {
    if (edit.action === "remove") return true;
    const isOutside =
      edit.action === "insert" && (edit.position === "before" || edit.position === "after");
    if (!isOutside && !holds) return false;
    const isSafeThere =
      (isOutside || !codes.has(tagName)) && !breaksPicture(edit, element, isOutside);
    const isTrusted = edit.action !== "text" && edit.trusted === true;
    return isSafe(isTrusted || isSafeThere, edit, notes);
  }
  if (
    edit.action === "attribute" &&
    !isSafe(edit.trusted === true || !loaders.has(tagName), edit, notes)
  ) {
    return false;
  }
  if (isPermitted(edit, csp)) return true;
  notes.note("forbidden-by-csp", `${edit.action} of ${edit.selector}`);
  return false;
}

/** An HTML element in a picture or formula would end it there. */
function breaksPicture(
  edit: ContentEdit,
  { tagName, namespaceURI }: Element,
  isOutside: boolean,
): boolean {
  if (edit.action === "text" || edit.action === "remove" || !edit.html.includes("<")) return false;
  const isRoot = tagName === "svg" || tagName === "math";
  return !namespaceURI.endsWith("/xhtml") && !(isOutside && isRoot);
}

/** Whether the page's policy has a say. */
export function isSubjectToCsp(edit: ElementEdit): boolean {
  if (edit.action === "style") return true;
  if (edit.action !== "attribute" || edit.value === null) return false;
  return edit.name.toLowerCase() === "style" || codeIn(edit.name, edit.value) !== null;
}

function isPermitted(edit: AttributeEdit, csp: Csp): boolean {
  if (!isSubjectToCsp(edit)) return true;
  if (edit.action !== "attribute" || edit.name.toLowerCase() === "style") {
    return csp.styleAttribute();
  }
  switch (codeIn(edit.name, edit.value)) {
    case "handler":
      return csp.scriptAttribute();
    case "address":
      return csp.scriptAddress();
    case "document":
    case null:
      return true;
  }
}

function isSafe(safe: boolean, { action, selector }: ElementEdit, notes: Notes): boolean {
  if (!safe) notes.note("unsafe-place", `${action} of ${selector}`);
  return safe;
}

/**
 * Whether the element would be another afterwards, as far as its start tag tells. "text": when it has another text than this, and nothing
 * but text.
 */
export function changesElement(
  edit: ElementEdit,
  element: Element,
): { changes: boolean } | { text: string } {
  switch (edit.action) {
    case "text":
      return { text: edit.text };
    case "html": {
      const text = edit.html.includes("<") ? null : withoutReferences(edit.html);
      return text === null ? { changes: true } : { text };
    }
    case "insert":
      return { changes: edit.html !== "" };
    case "remove":
      return { changes: true };
    case "attribute": {
      const has = element.hasAttribute(edit.name);
      if (edit.value === null || !has) return { changes: has || edit.value !== null };
      return { changes: withoutReferences(element.getAttribute(edit.name) ?? "") !== edit.value };
    }
    case "class": {
      const before = classesOf(element);
      const changed = changedClasses(before, edit);
      return {
        changes: changed.size !== before.size || [...changed].some((name) => !before.has(name)),
      };
    }
    case "style":
      return { changes: !endsWithStyle(styleOf(element), declared(edit).join(";")) };
  }
}

export function changeAttributes(edit: AttributeEdit, element: Element): void {
  if (edit.action === "attribute") {
    if (edit.value === null) element.removeAttribute(edit.name);
    else element.setAttribute(edit.name, literal(edit.value));
    return;
  }
  if (edit.action === "style") {
    // After what is there, so that it wins over it.
    const before = styleOf(element).trim().replace(/;$/, "");
    element.setAttribute("style", [before, ...declared(edit)].filter(Boolean).join("; "));
    return;
  }
  const classes = changedClasses(classesOf(element), edit);
  if (classes.size > 0) element.setAttribute("class", [...classes].join(" "));
  else element.removeAttribute("class");
}

/**
 * Text for `setAttribute`, which escapes quotes alone: a character reference in it would be read by the browser as what it stands for,
 * past everything that was checked. `getAttribute` gives the page's own text, references and all.
 */
export function literal(text: string): string {
  return text.replaceAll("&", "&amp;");
}

function classesOf(element: Element): Set<string> {
  return new Set((element.getAttribute("class") ?? "").split(/[\t\n\f\r ]+/).filter(Boolean));
}

function changedClasses(
  before: ReadonlySet<string>,
  { add = [], remove = [] }: Extract<ElementEdit, { action: "class" }>,
): Set<string> {
  const classes = new Set(before);
  for (const name of remove) classes.delete(literal(name));
  for (const name of add) classes.add(literal(name));
  return classes;
}

function styleOf(element: Element): string {
  return element.getAttribute("style") ?? "";
}

function endsWithStyle(style: string, end: string): boolean {
  const [whole, last] = [style, end].map((each) =>
    `;${each.trim().replace(/;$/, "")}`.replaceAll(/\s*([:;])\s*/g, "$1"),
  );
  return whole !== undefined && last !== undefined && whole.endsWith(last);
}

function declared({ properties }: Extract<ElementEdit, { action: "style" }>): string[] {
  return Object.entries(properties).map(([name, value]) => `${name}: ${literal(value)}`);
}
