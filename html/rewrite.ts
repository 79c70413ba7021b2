/**
 * The rewriter of one page: every selector that any of the planned edits has is looked for, what is met is told, and what is served is
 * done. Places in what another edit has removed are none: the visitor does not see them.
 */

import { isElementEdit } from "../contracts/page-edits.ts";
import type { ElementEdit } from "../contracts/page-edits.ts";
import type { PlannedEdit } from "./decide.ts";
import { applyEdit, hasPlace } from "./element-edits.ts";
import { onHead } from "./head-edits.ts";
import type { HeadPage, PlannedHeadEdit } from "./head-edits.ts";
import { changesContent, impliedEnds, mayLackEndTag } from "./implied-ends.ts";
import type { ContentEditor } from "./implied-ends.ts";
import { safeRewriter } from "./safe-rewriter.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";

interface PlannedElementEdit extends PlannedEdit {
  edit: ElementEdit;
}

export function rewriterOf(planned: readonly PlannedEdit[], page: HeadPage): SafeRewriter {
  const bySelector = new Map<string, PlannedElementEdit[]>();
  const inHead: PlannedHeadEdit[] = [];
  for (const { edit, exposure, served } of planned) {
    if (!isElementEdit(edit)) inHead.push({ edit, exposure, served });
    else {
      const known = bySelector.get(edit.selector) ?? [];
      known.push({ edit, exposure, served });
      bySelector.set(edit.selector, known);
    }
  }
  const takers = [...bySelector].filter(
    ([selector, edits]) =>
      mayLackEndTag(selector) && edits.some(({ edit, served }) => served && changesContent(edit)),
  );
  const rewriter = safeRewriter(page.notes, takers.length > 1);
  if (inHead.length > 0 || page.bootstrap !== null || hasStyle(bySelector)) {
    onHead(rewriter, inHead, page);
  }
  const contentEditor = impliedEnds(rewriter);
  // Before any selector's own handlers: what is being removed is removed before it could be met.
  const editors = new Map(takers.map(([selector]) => [selector, contentEditor(selector)]));
  for (const [selector, edits] of bySelector) {
    const editor = editors.get(selector) ?? null;
    rewriter.on(selector, {
      element(element) {
        for (const each of edits) meet(each, element, { page, editor });
        editor?.begin(element);
      },
    });
  }
  return rewriter;
}

function meet(
  planned: PlannedElementEdit,
  element: Element,
  { page, editor }: { page: HeadPage; editor: ContentEditor | null },
): void {
  const { edit, served } = planned;
  if (element.removed || !hasPlace(edit, element, page)) return;
  page.met(planned);
  if (served && editor?.take(edit, element) !== true) applyEdit(edit, element);
}

/** Style attributes are subject to the policies of the page's head. */
function hasStyle(bySelector: ReadonlyMap<string, readonly PlannedElementEdit[]>): boolean {
  return [...bySelector.values()].some((edits) =>
    edits.some(({ edit }) => edit.action === "style"),
  );
}
