/** Selectors made of a selector list. */

import { endedBy } from "./optional-end-tags.ts";

/** What is in the elements that the list matches. */
export function descendantsOf(selector: string): string {
  return partsOf(selector)
    .map((part) => `${part} *`)
    .join(", ");
}

export function childrenOf(selector: string): string {
  return partsOf(selector)
    .map((part) => `${part} > *`)
    .join(", ");
}

/** Whether a selector may match an element whose end tag may be left out. Looking into what it matches costs a call an element. */
export function mayLackEndTag(selector: string): boolean {
  return partsOf(selector).some((part) => {
    if (/["'(\\]/.test(part)) return true;
    const subject = part.split(/[\s>]+/).at(-1) ?? "";
    const [, type] = /^([a-z][a-z\d]*)(?:[#.:[]|$)/i.exec(subject) ?? [];
    return type === undefined || endedBy.has(type.toLowerCase());
  });
}

function partsOf(selector: string): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (const piece of selector.match(/\\[^]|"[^"]*"|'[^']*'|[^]/g) ?? []) {
    if (piece === "(" || piece === "[") depth += 1;
    if (piece === ")" || piece === "]") depth -= 1;
    if (piece === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += piece;
  }
  return [...parts, part].map((each) => each.trim());
}
