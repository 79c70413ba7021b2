/**
 * Edits of what is in and around elements: what all selectors want of one element is decided once, and is done as far as the element goes
 * in a browser. The rewriter takes an element whose end tag a page leaves out (`<li>A<li>B</ul>`) to go on until its parent ends; so of
 * such an element content is taken away piece by piece until a start tag ends it. What is written where an element ends is written at the
 * end of the page when it does not.
 */

import type { ElementEdit } from "../contracts/page-edits.ts";
import { endedBy, stops } from "./optional-end-tags.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";

export type ContentEdit = Extract<ElementEdit, { action: "text" | "html" | "remove" | "insert" }>;

export function changesContent(edit: ElementEdit): edit is ContentEdit {
  return ["text", "html", "remove", "insert"].includes(edit.action);
}

/** What becomes of an element. */
interface Plan {
  isRemoved: boolean;
  /** HTML. */
  before: string;
  prepend: string;
  /** Null: what it has. */
  content: string | null;
  append: string;
  after: string;
}

/** An element that is being edited, until it ends. */
interface Open {
  tag: string;
  plan: Plan;
  /** Piece by piece. */
  dropsContent: boolean;
  /** Elements in it in which nothing ends it. */
  stopped: number;
  told: readonly (() => void)[];
}

export interface ContentEditor {
  /** For every element in one of those of `watched`, before anything else is done with it. */
  meet(element: Element): void;
  /**
   * All edits of an element at once, in their order: of several contents the last one stands. `told` are called where something could
   * be written at the element's end, which the rewriter may never get to.
   */
  edit(
    element: Element,
    edits: readonly ContentEdit[],
    canHold: boolean,
    told: readonly (() => void)[],
  ): void;
}

const asHtml = { html: true };

/** @param dropping selectors of elements that may lack their end tag and whose content is taken away */
export function contentEditor(
  rewriter: () => SafeRewriter,
  isWhole: () => boolean,
): ContentEditor & { listen: (dropping: readonly string[]) => void } {
  /** The innermost last. */
  let open: Open[] = [];
  const drops = () => open.some(({ dropsContent }) => dropsContent);

  function begin(element: Element, { plan, dropsContent, told }: Omit<Open, "tag" | "stopped">) {
    const begun: Open = { tag: element.tagName, plan, dropsContent, stopped: 0, told };
    open.push(begun);
    rewriter().atEndOf(element, (end) => {
      if (!open.includes(begun)) return;
      open = open.filter((each) => each !== begun);
      end.before(end.isOwn ? plan.append : writtenAtEnd(begun));
      if (end.isOwn) end.after(plan.after);
      tell([begun]);
    });
  }

  /** Of an element in which nothing is edited: a template ends later, an <img> with its beginning. */
  function atEndOrAtOnce(element: Element, work: () => void): void {
    try {
      rewriter().atEndOf(element, work);
    } catch {
      work();
    }
  }

  return {
    listen(dropping) {
      if (dropping.length > 0) {
        rewriter().on(dropping.join(", "), {
          text(text) {
            if (drops()) text.remove();
          },
          comments(comment) {
            if (drops()) comment.remove();
          },
        });
      }
      rewriter().atEnd((end) => {
        if (!isWhole()) return;
        const html = open.toReversed().map(writtenAtEnd).join("");
        if (html !== "") end.append(html, asHtml);
        tell(open);
      });
    },
    meet(element) {
      if (open.length === 0 || element.removed) return;
      const { tagName } = element;
      const first = open.findIndex(
        ({ tag, stopped }) => stopped === 0 && endedBy.get(tag)?.has(tagName) === true,
      );
      if (first !== -1) {
        const ended = open.splice(first);
        element.before(ended.toReversed().map(writtenAtEnd).join(""), asHtml);
        tell(ended);
      }
      if (drops()) rewriter().remove(element, false);
      const outer = open.filter(({ tag }) => stops.get(tag)?.has(tagName) === true);
      if (outer.length === 0) return;
      rewriter().atEndOf(element, () => {
        for (const each of outer) each.stopped -= 1;
      });
      for (const each of outer) each.stopped += 1;
    },
    edit(element, edits, canHold, told) {
      const plan = planOf(edits);
      if (plan.before !== "") element.before(plan.before, asHtml);
      if (!canHold) {
        if (plan.after !== "") element.after(plan.after, asHtml);
        if (plan.isRemoved) element.remove();
        if (told.length > 0) atEndOrAtOnce(element, () => tell([{ told }]));
        return;
      }
      const mayLackEnd = endedBy.has(element.tagName);
      const dropsContent = mayLackEnd && (plan.isRemoved || plan.content !== null);
      if (plan.isRemoved) rewriter().remove(element, !mayLackEnd);
      else if (plan.content === null) element.prepend(plan.prepend, asHtml);
      else if (!mayLackEnd) element.setInnerContent(plan.prepend + plan.content, asHtml);
      else {
        element.prepend(plan.prepend + plan.content, asHtml);
        rewriter().keepEnd(element);
      }
      if (dropsContent || plan.append !== "" || plan.after !== "" || told.length > 0) {
        begin(element, { plan, dropsContent, told });
      }
    },
  };
}

function tell(ended: readonly Pick<Open, "told">[]): void {
  for (const { told } of ended) for (const each of told) each();
}

function planOf(edits: readonly ContentEdit[]): Plan {
  const plan: Plan = {
    isRemoved: false,
    before: "",
    prepend: "",
    content: null,
    append: "",
    after: "",
  };
  for (const edit of edits) {
    if (edit.action === "text") plan.content = escapedText(edit.text);
    else if (edit.action === "html") plan.content = edit.html;
    else if (edit.action === "remove") plan.isRemoved = true;
    else if (edit.position === "before") plan.before += edit.html;
    else if (edit.position === "prepend") plan.prepend = edit.html + plan.prepend;
    else if (edit.position === "append") plan.append += edit.html;
    else plan.after = edit.html + plan.after;
  }
  if (plan.isRemoved) Object.assign(plan, { prepend: "", content: null, append: "" });
  return plan;
}

/** Where an element ends without an end tag: it gets one, so that what comes after it is not in it. */
function writtenAtEnd({ tag, plan: { append, after, isRemoved } }: Open): string {
  return after === "" || isRemoved ? append + after : `${append}</${tag}>${after}`;
}

function escapedText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
