/**
 * Whether an edit can have a place on any page, as far as its selector tells: whatever can never be done is refused where it is written.
 * Of a list of selectors one is enough. Kept in step with what the edge does (html/element-edits.ts).
 */

import { voids } from "../contracts/page-edits.ts";
import type { ElementEdit } from "../contracts/page-edits.ts";
import { compoundsOf, typeOf } from "./selector.ts";

/** What is in them is text, or for nobody who runs scripts. */
const closed = new Set(
  "iframe noembed noframes noscript plaintext script style textarea title xmp".split(" "),
);
const codes = new Set(["script", "style"]);
const loaders = new Set(
  "script style iframe frame object embed applet base link meta svg use animate set".split(" "),
);
const never =
  /:nth-(?:child|of-type)\(\s*(?:[+-]?0*|-\d*n(?:\s*-\s*\d+|\s*\+\s*0+)?|[+-]?0*n(?:\s*-\s*\d+|\s*\+\s*0+)?|-\d+)\s*\)|:not\(\s*\*\s*\)/i;

interface Impossible {
  /** Of the edit. */
  field: string;
  detail: string;
}

/** Null: it may have a place. */
export function impossible(edit: ElementEdit): Impossible | null {
  const parts = compoundsOf(edit.selector);
  let first: Impossible | null = null;
  for (const compounds of parts) {
    const here = impossibleIn(compounds) ?? impossibleOf(edit, typeOf(compounds.at(-1) ?? ""));
    if (here === null) return null;
    first ??= here;
  }
  return first;
}

function impossibleIn(compounds: readonly string[]): Impossible | null {
  const nowhere = compounds.find((compound) => never.test(compound));
  if (nowhere !== undefined) {
    return { field: "selector", detail: `Nothing is ${nowhere}: positions count from 1.` };
  }
  const outer = compounds
    .slice(0, -1)
    .map(typeOf)
    .find((type) => type !== null && (voids.has(type) || closed.has(type)));
  if (outer === undefined) return null;
  return {
    field: "selector",
    detail: `No element that is shown is in <${outer}>: leave it out of the selector.`,
  };
}

function impossibleOf(edit: ElementEdit, type: string | null): Impossible | null {
  if (type === null) return null;
  const isOutside =
    edit.action === "insert" && (edit.position === "before" || edit.position === "after");
  if (isOutside) {
    const isNowhere = type === "html" || (type === "head" && edit.position === "before");
    return isNowhere
      ? {
          field: "position",
          detail: `Nothing can be ${edit.position} <${type}>: use body, prepend or append.`,
        }
      : null;
  }
  if (edit.action === "attribute") {
    return loaders.has(type) && edit.trusted !== true
      ? {
          field: "trusted",
          detail: `Attributes of <${type}> can load or run something: say trusted: true if they should.`,
        }
      : null;
  }
  if (edit.action !== "text" && edit.action !== "html" && edit.action !== "insert") return null;
  if (voids.has(type) || type === "noscript") {
    const what =
      type === "noscript" ? "What is in <noscript> is not edited" : `<${type}> holds nothing`;
    const field = edit.action === "insert" ? "position" : "selector";
    return {
      field,
      detail: `${what}: insert before or after it, or select the element that it is in.`,
    };
  }
  if (!codes.has(type)) return null;
  if (edit.action === "text") {
    return {
      field: "action",
      detail: `The text of <${type}> is code: use html with trusted: true.`,
    };
  }
  return edit.trusted === true
    ? null
    : {
        field: "trusted",
        detail: `What is in <${type}> is code: say trusted: true if it should be.`,
      };
}
