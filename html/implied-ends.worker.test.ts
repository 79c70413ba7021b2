import { expect, test } from "vitest";
import { mayLackEndTag } from "./implied-ends.ts";
import { rewritten } from "../test/worker-rewriting.ts";

/** An element, or text. */
type Node = string | { tag: string; isEdited: boolean; children: Node[] };

let state = 11;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 4_294_967_296) * below);
}

/** What may be in what, so that a browser takes the tree as it is, with or without the end tags that may be left out. */
const content: Record<string, readonly string[]> = {
  body: ["#text", "p", "div", "ul", "table", "b", "dl"],
  div: ["#text", "p", "ul", "b", "dl", "div"],
  ul: ["li"],
  li: ["#text", "p", "ul", "b", "div", "br"],
  dl: ["dt", "dd"],
  dt: ["#text", "b"],
  dd: ["#text", "p", "ul"],
  p: ["#text", "b", "br"],
  b: ["#text"],
  table: ["tr"],
  tr: ["td", "th"],
  td: ["#text", "p", "ul", "table"],
  th: ["#text", "b"],
  br: [],
};
const ended: Record<string, readonly string[]> = {
  li: ["li"],
  dt: ["dt", "dd"],
  dd: ["dt", "dd"],
  p: ["p", "div", "ul", "table", "dl"],
  tr: ["tr"],
  td: ["td", "th"],
  th: ["td", "th"],
};

function tree(tag: string, depth: number): Node {
  const allowed = content[tag] ?? [];
  const count = allowed.length === 0 || depth === 0 ? 0 : 1 + random(3);
  const children: Node[] = [];
  for (let n = 0; n < count; n++) {
    const child = allowed[random(allowed.length)] ?? "#text";
    const isText = child === "#text";
    // Two texts side by side would be one.
    if (isText && typeof children.at(-1) === "string") continue;
    children.push(isText ? `t${random(100)}` : tree(child, depth - 1));
  }
  return { tag, isEdited: tag !== "body" && tag !== "br" && random(4) === 0, children };
}

/**
 * Some of the end tags that may be left out are. Not those of an edited element that ends together with another one: of what is written
 * at one end tag the rewriter keeps only what the outermost element has written there.
 */
function asWritten(node: Node, next: Node | undefined, isInEdited = false): string {
  if (typeof node === "string") return node;
  const { tag, isEdited, children } = node;
  const inside = children
    .map((child, index) => asWritten(child, children[index + 1], isEdited || isInEdited))
    .join("");
  const start = isEdited ? `<${tag} class="a">` : `<${tag}>`;
  if (tag === "br") return start;
  const enders = ended[tag];
  const mayLack =
    enders !== undefined &&
    !(isEdited && isInEdited && next === undefined) &&
    (next === undefined || (typeof next === "object" && enders.includes(next.tag)));
  return start + inside + (mayLack && random(3) > 0 ? "" : `</${tag}>`);
}

interface Edit {
  action: string;
  position?: string;
}

/** The tree as the edit should leave it, with every end tag. */
function expected(node: Node, edit: Edit): string {
  if (typeof node === "string") return node;
  const { tag, isEdited, children } = node;
  const inside = children.map((child) => expected(child, edit)).join("");
  if (tag === "br") return "<br>";
  if (!isEdited) return `<${tag}>${inside}</${tag}>`;
  const start = `<${tag} class="a">`;
  switch (edit.position ?? edit.action) {
    case "text":
      return `${start}NEW</${tag}>`;
    case "remove":
      return "";
    case "before":
      return `NEW${start}${inside}</${tag}>`;
    case "after":
      return `${start}${inside}</${tag}>NEW`;
    case "prepend":
      return `${start}NEW${inside}</${tag}>`;
    default:
      return `${start}${inside}NEW</${tag}>`;
  }
}

/** Without the end tags that may be left out, but for those that tell `after` from `append`. */
function comparable(html: string, { position }: Edit): string {
  const ends = /<\/(?:li|dt|dd|p|tr|td|th)>/g;
  return position === "after"
    ? html.replaceAll(new RegExp(`${ends.source}(?!NEW)`, "g"), "")
    : html.replaceAll(ends, "");
}

const edits: Edit[] = [
  { action: "text" },
  { action: "remove" },
  ...["before", "after", "prepend", "append"].map((position) => ({ action: "insert", position })),
];

test.each([
  ["h1", false],
  ["ul > div.a[href]#b", false],
  ["a.b:first-child, H1", false],
  ["li", true],
  ["div P.a", true],
  [".a", true],
  ["h1, .a", true],
  [`li[title="a div.b"]`, true],
  ["li:not(.a, div.b)", true],
  ["li:nth-child(2n + 1)", true],
])("%s may match an element without an end tag: %j", (selector, may) => {
  expect(mayLackEndTag(selector)).toBe(may);
});

test.each(edits)(
  "%j of elements in 400 pages that leave end tags out: as the edit of the tree (seed 11)",
  async (edit) => {
    const { action, position } = edit;
    const written = position === undefined ? { text: "NEW" } : { position, html: "NEW" };
    const served = [{ action, selector: ".a", ...(action !== "remove" && written) }];
    let changed = 0;
    for (let n = 0; n < 400; n++) {
      const page = tree("body", 5);
      const html = asWritten(page, undefined);
      const cut = random(html.length);
      const { text, noted } = await rewritten([html.slice(0, cut), html.slice(cut)], { served });
      if (text !== html) changed += 1;
      const wanted = comparable(expected(page, edit), edit);
      if (noted.length > 0 || comparable(text, edit) !== wanted) {
        expect({ html, text: comparable(text, edit), noted }).toEqual({
          html,
          text: wanted,
          noted: [],
        });
      }
    }
    expect(changed).toBeGreaterThan(200);
  },
);
