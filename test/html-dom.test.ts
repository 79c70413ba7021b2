/** Edited pages as a browser parses them, against the same edits made by the browser's own DOM. Pages leave out end tags that they may. */

import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { bundle } from "../scripts/local/bundle.ts";
import { chromiumPath, launchOptions } from "./chromium.ts";
import { seededRandom } from "./seeded-random.ts";

const worker = `
  import { contentSecurityPolicy } from "./html/csp.ts";
  import { rewriterOf } from "./html/rewrite.ts";
  export default {
    async fetch(request) {
      const { html, edits } = await request.json();
      const noted = [];
      const rewriter = rewriterOf(
        edits.map((edit) => ({ edit, served: true, exposure: null })),
        {
          csp: contentSecurityPolicy(null),
          notes: { note: (reason, detail) => noted.push(reason + " " + detail) },
          met: () => {},
          bootstrap: null,
          rest: () => undefined,
        },
      );
      return Response.json({ html: await rewriter.transform(new Response(html)).text(), noted });
    },
  };
`;

const answered = z.object({ html: z.string(), noted: z.array(z.string()) });

/** What may be in what. */
const content: Record<string, readonly string[]> = {
  body: ["p", "div", "ul", "table", "h2", "dl", "section", "select", "ruby"],
  div: ["#text", "p", "ul", "b", "dl", "div", "button"],
  section: ["p", "h2", "table", "x-y"],
  "x-y": ["#text", "p"],
  h2: ["#text", "b", "a"],
  button: ["#text", "b"],
  ul: ["li"],
  li: ["#text", "p", "ul", "b", "div", "br", "table"],
  dl: ["dt", "dd"],
  dt: ["#text", "a"],
  dd: ["#text", "p", "ul", "dl"],
  p: ["#text", "b", "a", "br", "button"],
  a: ["#text", "b"],
  b: ["#text"],
  table: ["tbody"],
  tbody: ["tr"],
  tr: ["td", "th"],
  td: ["#text", "p", "ul", "table", "div"],
  th: ["#text", "b"],
  select: ["option"],
  option: ["#text"],
  ruby: ["rt"],
  rt: ["#text"],
  br: [],
};
const ended: Record<string, readonly string[]> = {
  li: ["li"],
  dt: ["dt", "dd"],
  dd: ["dt", "dd"],
  p: ["p", "div", "ul", "table", "dl", "h2", "section"],
  tbody: ["tbody"],
  tr: ["tr"],
  td: ["td", "th"],
  th: ["td", "th"],
  option: ["option"],
  rt: ["rt"],
};

/** A browser moves what is written into a table, outside of its cells, before the table. */
const inTables = new Set(["tbody", "tr", "td", "th"]);
function mayBeEdited(
  tag: string,
  { action, position = "" }: { action: string; position?: string },
) {
  if (tag === "body" || tag === "br") return false;
  if (action === "remove" || action === "class") return true;
  return position === "before" || position === "after"
    ? !inTables.has(tag)
    : !["table", "tbody", "tr"].includes(tag);
}

interface Element {
  tag: string;
  classes: string[];
  children: (Element | string)[];
}

const random = seededRandom(23);
const below = (n: number) => Math.floor(random() * n);

function tree(tag: string, depth: number, edit: { action: string; position?: string }): Element {
  const allowed = content[tag] ?? [];
  const children: Element["children"] = [];
  const count = depth === 0 ? 0 : below(4);
  for (let n = 0; n < count && allowed.length > 0; n++) {
    const child = allowed[below(allowed.length)] ?? "#text";
    children.push(child === "#text" ? `t${below(100)}` : tree(child, depth - 1, edit));
  }
  const isEdited = mayBeEdited(tag, edit) && below(4) === 0;
  return { tag, classes: isEdited ? ["a"] : [], children };
}

/** What an edit writes beside or into goes to what is open: before and in edited elements end tags are not left out. */
function written(element: Element, next: Element | string | undefined, isClosed: boolean): string {
  const { tag, classes, children } = element;
  const start = classes.length === 0 ? `<${tag}>` : `<${tag} class="${classes.join(" ")}">`;
  if (tag === "br") return start;
  const inside = children.map((child, index) => {
    if (typeof child === "string") return child;
    const after = children[index + 1];
    const isBeforeEdited = typeof after === "object" && after.classes.length > 0;
    const isLastOfEdited = after === undefined && (classes.length > 0 || isClosed);
    return written(child, after, isBeforeEdited || isLastOfEdited);
  });
  const mayLack =
    ended[tag] !== undefined &&
    !isClosed &&
    (next === undefined || (typeof next === "object" && ended[tag].includes(next.tag)));
  return start + inside.join("") + (mayLack && below(3) > 0 ? "" : `</${tag}>`);
}

const edits = [
  { action: "text", text: "NEW" },
  { action: "remove" },
  { action: "class", add: ["z"] },
  ...["before", "after", "prepend", "append"].map((position) => ({
    action: "insert",
    position,
    html: `<i>${position}</i>`,
  })),
];

/** Runs in the browser: both pages as parsed, the edits made to the first one. */
function compare(pages: { html: string; edited: string; edits: Record<string, unknown>[] }[]) {
  const places = {
    before: "beforebegin",
    after: "afterend",
    prepend: "afterbegin",
    append: "beforeend",
  } as const;
  const parsed = (html: string) => new DOMParser().parseFromString(html, "text/html");
  const shown = (document: Document) => {
    document.normalize();
    return document.body.innerHTML;
  };
  return pages.map(({ html, edited, edits }) => {
    const page = parsed(html);
    for (const { action, selector, text, position, html: inserted } of edits) {
      for (const element of page.querySelectorAll(String(selector))) {
        if (action === "text") element.textContent = String(text);
        else if (action === "remove") element.remove();
        else if (action === "class") element.classList.add("z");
        else {
          const place = Object.entries(places).find(([name]) => name === position)?.[1];
          element.insertAdjacentHTML(place ?? "beforeend", String(inserted));
        }
      }
    }
    return { wanted: shown(page), got: shown(parsed(edited)) };
  });
}

describe.skipIf(chromiumPath === undefined)("as the browser's own DOM has them", () => {
  let browser: Browser;
  let page: Page;
  let runtime: Miniflare;
  beforeAll(async () => {
    const script = await bundle(worker);
    runtime = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        cf: false,
        telemetry: { enabled: false },
        workers: [{ name: "rewriter", modules: true, script, compatibilityDate: "2026-11-01" }],
      }),
    );
    await runtime.ready;
    browser = await chromium.launch(launchOptions);
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser.close();
    await runtime.dispose();
  });

  test.each(edits)("%j of elements in 60 pages (seed 23)", async (edit) => {
    const pages = [];
    for (let n = 0; n < 60; n++) {
      const html = `<!doctype html>${written(tree("body", 6, edit), undefined, false)}`;
      const made = [{ selector: ".a", ...edit }];
      const response = await runtime.dispatchFetch("http://rewriter/", {
        method: "POST",
        body: JSON.stringify({ html, edits: made }),
      });
      const answer = z.parse(answered, await response.json());
      expect(answer.noted).toEqual([]);
      pages.push({ html, edited: answer.html, edits: made });
    }
    const compared = await page.evaluate(compare, pages);
    for (const [index, { wanted, got }] of compared.entries()) {
      if (got !== wanted)
        expect({ page: pages[index]?.html, got }).toEqual({
          page: pages[index]?.html,
          got: wanted,
        });
    }
    expect(pages.filter(({ html, edited }) => html !== edited).length).toBeGreaterThan(15);
  });
});
