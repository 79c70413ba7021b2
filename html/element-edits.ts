/**
 * Edits of elements. `hasPlace` says whether an edit could be made where its selector matched, which is the same for every visitor;
 * `applyEdit` makes it.
 */

import type { ElementEdit } from "../contracts/page-edits.ts";
import type { Csp } from "./csp.ts";
import type { Notes } from "./notes.ts";

const voids = new Set(
  "area base br col embed hr img input link meta param source track wbr".split(" "),
);
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

export function hasPlace(edit: ElementEdit, { tagName }: Element, { csp, notes }: Page): boolean {
  const isTrusted = "trusted" in edit && edit.trusted;
  switch (edit.action) {
    case "text":
    case "html":
      return !voids.has(tagName) && isSafe(isTrusted || !codes.has(tagName), edit, notes);
    case "insert": {
      if (edit.position === "before" || edit.position === "after") return true;
      return !voids.has(tagName) && isSafe(isTrusted || !codes.has(tagName), edit, notes);
    }
    case "attribute":
      return isSafe(isTrusted || !loaders.has(tagName), edit, notes);
    case "style":
      if (csp.styleAttribute()) return true;
      notes.note("forbidden-by-csp", `style of ${edit.selector}`);
      return false;
    case "class":
    case "remove":
      return true;
  }
}

function isSafe(safe: boolean, { action, selector }: ElementEdit, notes: Notes): boolean {
  if (!safe) notes.note("unsafe-place", `${action} of ${selector}`);
  return safe;
}

export function applyEdit(edit: ElementEdit, element: Element): void {
  switch (edit.action) {
    case "text":
      element.setInnerContent(edit.text);
      return;
    case "html":
      element.setInnerContent(edit.html, { html: true });
      return;
    case "attribute":
      if (edit.value === null) element.removeAttribute(edit.name);
      else element.setAttribute(edit.name, literal(edit.value));
      return;
    case "class":
      changeClasses(element, edit.add ?? [], edit.remove ?? []);
      return;
    case "style":
      addStyle(element, edit.properties);
      return;
    case "remove":
      element.remove();
      return;
    case "insert":
      element[edit.position](edit.html, { html: true });
  }
}

/**
 * Text for `setAttribute`, which escapes quotes alone: a character reference in it would be read by the browser as what it stands for,
 * past everything that was checked. `getAttribute` gives the page's own text, references and all.
 */
export function literal(text: string): string {
  return text.replaceAll("&", "&amp;");
}

function changeClasses(element: Element, add: readonly string[], remove: readonly string[]): void {
  const classes = new Set((element.getAttribute("class") ?? "").split(/\s+/).filter(Boolean));
  for (const name of remove) classes.delete(literal(name));
  for (const name of add) classes.add(literal(name));
  element.setAttribute("class", [...classes].join(" "));
}

/** After what is there, so that it wins over it. */
function addStyle(element: Element, properties: Record<string, string>): void {
  const before = (element.getAttribute("style") ?? "").trim().replace(/;$/, "");
  const added = Object.entries(properties).map(([name, value]) => `${name}: ${literal(value)}`);
  element.setAttribute("style", [before, ...added].filter(Boolean).join("; "));
}
