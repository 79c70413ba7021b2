/**
 * Edits of the content of elements whose end tag a page may leave out (HTML Standard, 13.1.2.4): `<li>A<li>B</ul>`. The rewriter takes
 * such an element to go on until its parent ends, so its own way of replacing or removing content would take the siblings along.
 * Here content is taken away piece by piece until the element ends as it does in a browser: by its end tag, or by a start tag that
 * cannot be in it.
 */

import type { ElementEdit } from "../contracts/page-edits.ts";
import { endedBy } from "./optional-end-tags.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";

/** An element that an edit is of, until it ends. */
interface Open {
  tag: string;
  enders: ReadonlySet<string>;
  dropsContent: boolean;
  /** What is written where it ends: in it, and after it. */
  append: string;
  after: string;
  /** Elements in it that have to end before it can. */
  depth: number;
}

const asHtml = { html: true };

/** Does an edit, if the element is one of these; says whether it was. */
export type ContentEditor = (edit: ElementEdit, element: Element) => boolean;

type ContentEdit = Extract<ElementEdit, { action: "text" | "html" | "remove" | "insert" }>;

export function changesContent(edit: ElementEdit): edit is ContentEdit {
  return ["text", "html", "remove", "insert"].includes(edit.action);
}

/** For one page. The editor of a selector must be made before its elements are handled by anything else. */
export function impliedEnds(rewriter: SafeRewriter): (selector: string) => ContentEditor {
  return (selector) => {
    let open: Open | null = null;

    function take(element: Element, inside: Open): void {
      const { tagName } = element;
      if (inside.depth === 0 && inside.enders.has(tagName)) {
        element.before(inside.append + inside.after, asHtml);
        open = null;
      } else if (endedBy.has(tagName)) {
        if (inside.dropsContent) stripTags(element, rewriter);
      } else if (inside.dropsContent) element.remove();
      else whileOpen(element, inside, rewriter);
    }

    rewriter.on(descendantsOf(selector), {
      element(element) {
        if (open !== null && !element.removed) take(element, open);
      },
    });
    rewriter.on(selector, {
      text(text) {
        if (open?.dropsContent === true) text.remove();
      },
      comments(comment) {
        if (open?.dropsContent === true) comment.remove();
      },
    });

    function begin(element: Element): Open | null {
      const enders = endedBy.get(element.tagName);
      if (enders === undefined) return null;
      const begun: Open = {
        tag: element.tagName,
        enders,
        dropsContent: false,
        append: "",
        after: "",
        depth: 0,
      };
      rewriter.atEndOf(element, (tag) => {
        if (open !== begun) return;
        open = null;
        tag.before(begun.append, asHtml);
        if (tag.name === begun.tag) tag.after(begun.after, asHtml);
        else tag.before(begun.after, asHtml);
      });
      return begun;
    }

    let editing: { element: Element; begun: Open | null } | null = null;
    return (edit, element) => {
      if (!changesContent(edit)) return false;
      if (editing?.element !== element) editing = { element, begun: begin(element) };
      const { begun } = editing;
      if (begun === null || !edited(edit, element, begun, rewriter)) return false;
      open = begun;
      return true;
    };
  };
}

/** Takes an element's tags away. The rewriter takes away its parent's end tag when it has none of its own: that is put back. */
function stripTags(element: Element, rewriter: SafeRewriter): void {
  const { tagName } = element;
  element.removeAndKeepContent();
  rewriter.atEndOf(element, (tag) => {
    if (tag.name !== tagName) tag.before(`</${tag.name}>`, asHtml);
  });
}

/** False: as any element is edited. */
function edited(edit: ContentEdit, element: Element, open: Open, rewriter: SafeRewriter): boolean {
  switch (edit.action) {
    case "text":
      element.prepend(edit.text);
      open.dropsContent = true;
      return true;
    case "html":
      element.prepend(edit.html, asHtml);
      open.dropsContent = true;
      return true;
    case "remove":
      open.dropsContent = true;
      stripTags(element, rewriter);
      return true;
    case "insert":
      if (edit.position === "append") open.append += edit.html;
      else if (edit.position === "after") open.after = edit.html + open.after;
      else return false;
      return true;
  }
}

/** Counts an element in, until its end. */
function whileOpen(element: Element, open: Open, rewriter: SafeRewriter): void {
  try {
    rewriter.atEndOf(element, () => {
      open.depth -= 1;
    });
    open.depth += 1;
  } catch {
    // It is empty, and has no end tag.
  }
}

/** Of each selector of the list. */
export function descendantsOf(selector: string): string {
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
  return [...parts, part].map((each) => `${each.trim()} *`).join(", ");
}
