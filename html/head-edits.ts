/**
 * What is done in a page's head as it streams by: title and meta elements where they are, or else at the head's end, where scripts and
 * style sheets go too; the bootstrap at its beginning, before any script. A page may leave the head's tags out: then its beginning is
 * before the first element that belongs there, and its end before the body.
 */

import type { HeadEdit } from "../contracts/page-edits.ts";
import type { Csp, Permission } from "./csp.ts";
import type { PlannedEdit } from "./decide.ts";
import { literal } from "./element-edits.ts";
import type { Notes } from "./notes.ts";
import { withoutReferences } from "./references.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";
import { textWatch } from "./text-watch.ts";

export interface PlannedHeadEdit extends PlannedEdit {
  edit: HeadEdit;
}

export interface HeadPage {
  csp: Csp;
  notes: Notes;
  /** Called for every planned edit that the page has a place for. */
  met: (planned: PlannedEdit) => void;
  /** Null: none. */
  bootstrap: string | null;
}

const asHtml = { html: true };
/** What else a head may begin with that has no tags of its own. */
const beginners = ["link", "script", "style", "base"];

export function onHead(
  rewriter: SafeRewriter,
  planned: readonly PlannedHeadEdit[],
  page: HeadPage,
): void {
  let { bootstrap } = page;
  let isOver = false;
  const done = new Set<PlannedHeadEdit>();

  const placeBootstrap = (insert: (html: string) => void) => {
    if (bootstrap === null) return;
    insert(bootstrap);
    bootstrap = null;
  };
  /** Edits of which this is the first element, which are the only ones to be made of it. */
  const meetElement = (matches: (edit: HeadEdit) => boolean): PlannedHeadEdit[] => {
    if (isOver) return [];
    const here = planned.filter((each) => !done.has(each) && matches(each.edit));
    for (const each of here) done.add(each);
    return here;
  };
  const end = (insert: (html: string) => void) => {
    if (isOver) return;
    isOver = true;
    placeBootstrap(insert);
    const missing = planned.filter((each) => !done.has(each));
    insert(endOfHead(missing, page));
  };

  /** The next handler's element is in a picture, a template or the like. */
  let isElsewhere = false;
  const kinds = ["title", "meta", ...(bootstrap === null ? [] : beginners)];
  rewriter.on(kinds.join(", "), {
    element() {
      isElsewhere = false;
    },
  });
  const elsewhere = ["svg", "math", "template"].flatMap((outer) =>
    kinds.map((kind) => `${outer} ${kind}`),
  );
  rewriter.on(elsewhere.join(", "), {
    element() {
      isElsewhere = true;
    },
  });
  rewriter.on("head", {
    element(element) {
      if (isOver) return;
      placeBootstrap((html) => element.prepend(html, asHtml));
      rewriter.atEndOf(element, (tag) => end((html) => tag.before(html)));
    },
  });
  rewriter.on("body, frameset", {
    element: (element) => end((html) => element.before(html, asHtml)),
  });
  if (bootstrap !== null) {
    rewriter.on(kinds.join(", "), {
      element(element) {
        if (!isOver && !isElsewhere) placeBootstrap((html) => element.before(html, asHtml));
      },
    });
  }
  rewriter.on("meta", {
    element(element) {
      if (isElsewhere || isOver) return;
      const equivalent = element.getAttribute("http-equiv")?.trim().toLowerCase();
      const content = element.getAttribute("content");
      if (equivalent === "content-security-policy" && content !== null) {
        page.csp.add(withoutReferences(content));
      }
      const name = (
        element.getAttribute("name") ?? element.getAttribute("property")
      )?.toLowerCase();
      const written = content === null ? null : withoutReferences(content);
      for (const each of meetElement(
        (edit) => edit.action === "meta" && edit.name.toLowerCase() === name,
      )) {
        const { edit, served } = each;
        if (edit.action !== "meta" || edit.content === written) continue;
        page.met(each);
        if (served) element.setAttribute("content", literal(edit.content));
      }
    },
  });
  const titles = textWatch(rewriter, "title");
  rewriter.atEnd(() => titles.end());
  rewriter.on("title", {
    element(element) {
      if (isElsewhere) return;
      for (const each of meetElement(({ action }) => action === "title")) {
        const { edit, served } = each;
        if (edit.action !== "title") continue;
        titles.begin(element, (text) => {
          if (text !== edit.text) page.met(each);
        });
        if (served) element.setInnerContent(edit.text);
      }
    },
  });
}

/** What is written before the head ends; of edits of the same thing the last one stands. */
function endOfHead(planned: readonly PlannedHeadEdit[], page: HeadPage): string {
  const parts = new Map<string, string>();
  for (const [index, each] of planned.entries()) {
    const { edit, served } = each;
    const [name, html] = written(edit, index, page);
    if (html === null) {
      page.notes.note("forbidden-by-csp", edit.action);
      continue;
    }
    page.met(each);
    if (served) parts.set(name, html);
  }
  return [...parts.values()].join("");
}

function written(
  edit: HeadEdit,
  index: number,
  { csp }: HeadPage,
): [name: string, html: string | null] {
  switch (edit.action) {
    case "title":
      return ["title", `<title>${escaped(edit.text)}</title>`];
    case "meta": {
      const kind = edit.name.includes(":") ? "property" : "name";
      const html = `<meta ${kind}="${escaped(edit.name)}" content="${escaped(edit.content)}">`;
      return [`meta ${edit.name.toLowerCase()}`, html];
    }
    case "script":
      return [`${index}`, permitted(csp.script(), "script", edit.code)];
    case "stylesheet":
      return [`${index}`, permitted(csp.stylesheet(), "style", edit.css)];
  }
}

function permitted(permission: Permission, tag: string, content: string): string | null {
  if (permission === null) return null;
  const { nonce } = permission;
  return `<${tag}${nonce === null ? "" : ` nonce="${escaped(nonce)}"`}>${content}</${tag}>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
