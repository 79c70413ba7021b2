/**
 * The rewriter of one page: every selector that any of the planned edits has is looked for, what is met is told, and what is served is
 * done. What all selectors want of an element is decided at its start tag, at once. No places are those that the visitor does not see:
 * in and of what another edit has removed, and in templates and what is for browsers without scripts.
 */

import { isElementEdit } from "../contracts/page-edits.ts";
import type { ElementEdit } from "../contracts/page-edits.ts";
import { changesContent, contentEditor } from "./content-edits.ts";
import type { ContentEdit } from "./content-edits.ts";
import type { PlannedEdit } from "./decide.ts";
import {
  canHold,
  changeAttributes,
  changesElement,
  hasPlace,
  isSubjectToCsp,
} from "./element-edits.ts";
import { onHead } from "./head-edits.ts";
import type { HeadPage, PlannedHeadEdit } from "./head-edits.ts";
import { safeRewriter } from "./safe-rewriter.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";
import { descendantsOf, mayLackEndTag } from "./selector-parts.ts";
import { restMark } from "./streams.ts";
import { textWatch } from "./text-watch.ts";
import type { TextWatch } from "./text-watch.ts";

interface PlannedElementEdit extends PlannedEdit {
  edit: ElementEdit;
  /** The edit's place among all. */
  order: number;
}

export interface Page extends HeadPage {
  /** What of the page the rewriter does not get. Null: the page ends where nothing can be written. Undefined: it gets it all. */
  rest: () => ReadableStream | null | undefined;
}

/** What is in it is not the page's: a shadow root that is declared is. What is in noscript is text to the rewriter. */
const inert = "template:not([shadowrootmode]) *";

export function rewriterOf(planned: readonly PlannedEdit[], page: Page): SafeRewriter {
  const bySelector = new Map<string, PlannedElementEdit[]>();
  const inHead: PlannedHeadEdit[] = [];
  for (const [order, { edit, exposure, served }] of planned.entries()) {
    if (!isElementEdit(edit)) inHead.push({ edit, exposure, served });
    else {
      const known = bySelector.get(edit.selector) ?? [];
      known.push({ edit, exposure, served, order });
      bySelector.set(edit.selector, known);
    }
  }
  const selectors = [...bySelector.keys()];
  const lackingEnd = (looksFor: (planned: PlannedElementEdit) => boolean) =>
    selectors.filter(
      (selector) => mayLackEndTag(selector) && bySelector.get(selector)?.some(looksFor) === true,
    );
  const dropping = lackingEnd(({ edit, served }) => served && takesContent(edit));
  const ending = lackingEnd(({ edit }) => isAtEnd(edit));
  const watchedInside = [...new Set([...dropping, ...ending])].map(descendantsOf);

  let isInert = false;
  const content = contentEditor(
    () => rewriter,
    () => page.rest() === undefined,
  );
  const hasHead = inHead.length > 0 || page.bootstrap !== null || isCspAsked(bySelector);
  const rewriter = safeRewriter(
    page.notes,
    [...selectors, ...watchedInside, ...(hasHead ? ["head, title"] : [])],
    (element) => {
      isInert = element.tagName === restMark;
      content.meet(element);
    },
  );
  rewriter.on(inert, {
    element() {
      isInert = true;
    },
  });
  if (hasHead) onHead(rewriter, inHead, page);
  content.listen(dropping);

  const texts = new Map<string, TextWatch>();
  for (const [selector, edits] of bySelector) {
    if (edits.some(({ edit }) => edit.action === "text" || edit.action === "html")) {
      texts.set(selector, textWatch(rewriter, selector));
    }
  }
  rewriter.atEnd(() => {
    for (const text of texts.values()) text.end();
  });

  let matched: PlannedElementEdit[] = [];
  for (const [selector, edits] of bySelector) {
    rewriter.on(selector, {
      element() {
        matched.push(...edits);
      },
    });
  }
  if (selectors.length > 0) {
    rewriter.on(selectors.join(", "), {
      element(element) {
        const here = matched.toSorted((one, other) => one.order - other.order);
        matched = [];
        if (!isInert && !element.removed) meet(here, element);
      },
    });
  }

  function meet(here: readonly PlannedElementEdit[], element: Element): void {
    const holds =
      here.some(({ edit }) => changesContent(edit)) &&
      canHold(element, () => rewriter.atEndOf(element, () => {}));
    const possible = here.filter(({ edit }) => hasPlace(edit, element, holds, page));
    const contents: ContentEdit[] = [];
    const attributes: (() => void)[] = [];
    const told: (() => void)[] = [];
    for (const each of seenOf(possible)) {
      const { edit, served } = each;
      const effect = changesElement(edit, element);
      if ("text" in effect) {
        texts.get(edit.selector)?.begin(element, (text) => {
          if (text !== effect.text) page.met(each);
        });
      } else if (!effect.changes) continue;
      else if (isAtEnd(edit)) told.push(() => page.met(each));
      else page.met(each);
      if (!served) continue;
      if (changesContent(edit)) contents.push(edit);
      else attributes.push(() => changeAttributes(edit, element));
    }
    for (const change of attributes) change();
    if (contents.length + told.length > 0) content.edit(element, contents, holds, told);
  }

  writeRest(rewriter, page);
  return rewriter;
}

/** Where the rest of the page begins, it is passed on as it comes; where it begins in what is taken away, at the end, as a whole. */
function writeRest(rewriter: SafeRewriter, { rest }: Page): void {
  let isWritten = false;
  rewriter.on(restMark, {
    element(element) {
      const stream = rest() ?? null;
      if (stream === null || element.removed) return;
      element.replace(stream, { html: true });
      isWritten = true;
    },
  });
  rewriter.atEnd(async (end) => {
    const stream = rest() ?? null;
    if (stream === null || isWritten) return;
    end.append(await new Response(stream).text(), { html: true });
  });
}

/** Those whose effect is to be seen: not what a later edit of another experiment takes away. */
function seenOf(edits: readonly PlannedElementEdit[]): readonly PlannedElementEdit[] {
  const removal = edits.findIndex(({ edit, served }) => served && edit.action === "remove");
  const filling = edits.findLast(({ edit, served }) => served && isFilling(edit));
  return edits.filter((each, index) => {
    if (removal !== -1 && index !== removal) return index < removal && isBeside(each.edit);
    const isOverwritten =
      filling !== undefined && filling.order > each.order && filling.exposure !== each.exposure;
    return !(isOverwritten && isFilling(each.edit));
  });
}

function isFilling({ action }: ElementEdit): boolean {
  return action === "text" || action === "html";
}

function isBeside(edit: ElementEdit): boolean {
  return edit.action === "insert" && (edit.position === "before" || edit.position === "after");
}

/** Whether it is made where the element ends. */
function isAtEnd(edit: ElementEdit): boolean {
  return edit.action === "insert" && (edit.position === "append" || edit.position === "after");
}

function takesContent(edit: ElementEdit): boolean {
  return changesContent(edit) && edit.action !== "insert";
}

/** The page's head may have a policy that has a say in them. */
function isCspAsked(bySelector: ReadonlyMap<string, readonly PlannedElementEdit[]>): boolean {
  return [...bySelector.values()].some((edits) => edits.some(({ edit }) => isSubjectToCsp(edit)));
}
