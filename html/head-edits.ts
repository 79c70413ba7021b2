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
import type { SafeRewriter } from "./safe-rewriter.ts";

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
  /** The page says its encoding in a meta element, which must stay within the first kilobyte. */
  charsetInMeta: boolean;
}

const asHtml = { html: true };

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
  /** The first element that an edit is of: what follows is another's, such as a picture's title. */
  const meetElement = (matches: (edit: HeadEdit) => boolean, apply: (edit: HeadEdit) => void) => {
    if (isOver) return;
    for (const each of planned) {
      if (done.has(each) || !matches(each.edit)) continue;
      done.add(each);
      page.met(each);
      if (each.served) apply(each.edit);
    }
  };
  const end = (insert: (html: string) => void) => {
    if (isOver) return;
    isOver = true;
    placeBootstrap(insert);
    const missing = planned.filter((each) => !done.has(each));
    insert(endOfHead(missing, page));
  };

  rewriter.on("head", {
    element(element) {
      if (isOver) return;
      if (!page.charsetInMeta) placeBootstrap((html) => element.prepend(html, asHtml));
      rewriter.atEndOf(element, (tag) => end((html) => tag.before(html, asHtml)));
    },
  });
  rewriter.on("body, frameset", {
    element: (element) => end((html) => element.before(html, asHtml)),
  });
  if (bootstrap !== null) {
    rewriter.on("title, meta, link, script, style, base", {
      element(element) {
        if (isOver || bootstrap === null) return;
        if (!page.charsetInMeta) placeBootstrap((html) => element.before(html, asHtml));
        else if (saysCharset(element)) placeBootstrap((html) => element.after(html, asHtml));
      },
    });
  }
  rewriter.on("meta", {
    element(element) {
      const equivalent = element.getAttribute("http-equiv")?.toLowerCase();
      const content = element.getAttribute("content");
      if (equivalent === "content-security-policy" && content !== null) page.csp.add(content);
      const name = (
        element.getAttribute("name") ?? element.getAttribute("property")
      )?.toLowerCase();
      meetElement(
        (edit) => edit.action === "meta" && edit.name.toLowerCase() === name,
        (edit) => edit.action === "meta" && element.setAttribute("content", literal(edit.content)),
      );
    },
  });
  rewriter.on("title", {
    element(element) {
      meetElement(
        ({ action }) => action === "title",
        (edit) => edit.action === "title" && element.setInnerContent(edit.text),
      );
    },
  });
}

function saysCharset(meta: Element): boolean {
  return (
    meta.tagName === "meta" &&
    (meta.hasAttribute("charset") ||
      meta.getAttribute("http-equiv")?.toLowerCase() === "content-type")
  );
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
