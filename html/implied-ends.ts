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
  isRemoved: boolean;
  /** HTML that is written where it begins, in it. */
  prepend: string;
  content: string;
  /** Where it ends: in it, and after it. */
  append: string;
  after: string;
  /** Elements in it that have to end before it can. */
  depth: number;
}

const asHtml = { html: true };

export interface ContentEditor {
  /** Takes an edit on, if the element is one of these; says whether it was. */
  take: (edit: ElementEdit, element: Element) => boolean;
  /** When all edits of the element have been taken on. */
  begin: (element: Element) => void;
}

type ContentEdit = Extract<ElementEdit, { action: "text" | "html" | "remove" | "insert" }>;

export function changesContent(edit: ElementEdit): edit is ContentEdit {
  return ["text", "html", "remove", "insert"].includes(edit.action);
}

/** For one page. The editor of a selector must be made before its elements are handled by anything else. */
export function impliedEnds(rewriter: SafeRewriter): (selector: string) => ContentEditor {
  return (selector) => {
    /** Elements that are being edited, the innermost last. */
    const open: Open[] = [];

    rewriter.on(descendantsOf(selector), {
      element(element) {
        if (element.removed) return;
        for (let inside = open.at(-1); inside !== undefined; inside = open.at(-1)) {
          if (inside.depth > 0 || !inside.enders.has(element.tagName)) {
            goInto(element, inside, rewriter);
            return;
          }
          element.before(writtenAtEnd(inside), asHtml);
          open.pop();
        }
      },
    });
    rewriter.on(selector, {
      text(text) {
        if (open.at(-1)?.dropsContent === true) text.remove();
      },
      comments(comment) {
        if (open.at(-1)?.dropsContent === true) comment.remove();
      },
    });

    function opened(element: Element): Open | null {
      const enders = endedBy.get(element.tagName);
      if (enders === undefined) return null;
      const begun: Open = {
        tag: element.tagName,
        enders,
        dropsContent: false,
        isRemoved: false,
        prepend: "",
        content: "",
        append: "",
        after: "",
        depth: 0,
      };
      rewriter.atEndOf(element, (tag) => {
        const at = open.indexOf(begun);
        if (at === -1) return;
        // Those in it that have no end tag end here too.
        for (const inner of open.splice(at + 1).reverse()) tag.before(writtenAtEnd(inner), asHtml);
        open.pop();
        if (tag.name !== begun.tag) tag.before(writtenAtEnd(begun), asHtml);
        else {
          tag.before(begun.append, asHtml);
          tag.after(begun.after, asHtml);
        }
      });
      return begun;
    }

    let editing: { element: Element; begun: Open | null } | null = null;
    return {
      take(edit, element) {
        if (!changesContent(edit)) return false;
        if (editing?.element !== element) editing = { element, begun: opened(element) };
        const { begun } = editing;
        if (begun === null || !isTaken(edit, begun)) return false;
        if (edit.action === "remove") stripTags(element, rewriter);
        if (!open.includes(begun)) open.push(begun);
        return true;
      },
      begin(element) {
        if (editing?.element !== element || editing.begun === null) return;
        element.prepend(editing.begun.prepend + editing.begun.content, asHtml);
      },
    };
  };
}

/** Nothing waits for their end tags, which pages forget: taken away as a whole, one would take along what comes after. */
const formatting = new Set(
  "a b big code em font i nobr s small span strike strong tt u".split(" "),
);

/** An element in one that is being edited, which it does not end. */
function goInto(element: Element, inside: Open, rewriter: SafeRewriter): void {
  if (endedBy.has(element.tagName) || formatting.has(element.tagName)) {
    if (inside.dropsContent) stripTags(element, rewriter);
  } else if (inside.dropsContent) element.remove();
  else whileOpen(element, inside, rewriter);
}

/** Where an element ends without an end tag: it gets one, so that what comes after it is not in it. */
function writtenAtEnd({ tag, append, after, isRemoved }: Open): string {
  return after === "" || isRemoved ? append + after : `${append}</${tag}>${after}`;
}

/** Takes an element's tags away. The rewriter takes away its parent's end tag when it has none of its own: that is put back. */
function stripTags(element: Element, rewriter: SafeRewriter): void {
  const { tagName } = element;
  element.removeAndKeepContent();
  try {
    rewriter.atEndOf(element, (tag) => {
      if (tag.name !== tagName) tag.before(`</${tag.name}>`, asHtml);
    });
  } catch {
    // It is empty, and has no end tag.
  }
}

/** False: as any element is edited. Of several contents the last one stands. */
function isTaken(edit: ContentEdit, open: Open): boolean {
  switch (edit.action) {
    case "text":
    case "html":
      open.content = edit.action === "html" ? edit.html : escapedText(edit.text);
      open.dropsContent = true;
      return true;
    case "remove":
      open.isRemoved = true;
      open.dropsContent = true;
      open.prepend = "";
      open.content = "";
      open.append = "";
      return true;
    case "insert":
      if (edit.position === "before") return false;
      if (edit.position === "prepend") open.prepend = edit.html + open.prepend;
      else if (edit.position === "append") open.append += edit.html;
      else open.after = edit.html + open.after;
      return true;
  }
}

function escapedText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
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

/** Whether a selector may match an element whose end tag may be left out. Looking into what it matches costs several calls an element. */
export function mayLackEndTag(selector: string): boolean {
  return partsOf(selector).some((part) => {
    if (/["'(\\]/.test(part)) return true;
    const subject = part.split(/[\s>]+/).at(-1) ?? "";
    const [, type] = /^([a-z][a-z\d]*)(?:[#.:[]|$)/i.exec(subject) ?? [];
    return type === undefined || endedBy.has(type.toLowerCase());
  });
}

/** Of each selector of the list. */
export function descendantsOf(selector: string): string {
  return partsOf(selector)
    .map((part) => `${part} *`)
    .join(", ");
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
