import { expect, test } from "vitest";
import { mayLackEndTag } from "./selector-parts.ts";
import { rewritten } from "../test/worker-rewriting.ts";

/** An element, or text. */
type Node = string | { tag: string; classes: string[]; children: Node[] };

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
  const mayBeEdited = tag !== "body" && tag !== "br";
  return { tag, classes: ["a", "b"].filter(() => mayBeEdited && random(4) === 0), children };
}

/** Some of the end tags that may be left out are. */
function asWritten(node: Node, next: Node | undefined): string {
  if (typeof node === "string") return node;
  const { tag, children } = node;
  const inside = children.map((child, index) => asWritten(child, children[index + 1])).join("");
  if (tag === "br") return startOf(node);
  const enders = ended[tag];
  const mayLack =
    enders !== undefined &&
    (next === undefined || (typeof next === "object" && enders.includes(next.tag)));
  return startOf(node) + inside + (mayLack && random(3) > 0 ? "" : `</${tag}>`);
}

function startOf({ tag, classes }: Exclude<Node, string>): string {
  return classes.length === 0 ? `<${tag}>` : `<${tag} class="${classes.join(" ")}">`;
}

interface Edit {
  action: string;
  position?: string;
}

/** What an edit of a class writes: "(", where it is after an element. */
function written({ action, position }: Edit, of: string): string {
  if (action === "remove") return "";
  return position === "after" ? `(${of})` : `[${of} ${position ?? action}]`;
}

/** The tree as the edits should leave it, with every end tag. */
function expected(node: Node, edits: Record<string, Edit>): string {
  if (typeof node === "string") return node;
  const { tag, classes, children } = node;
  let inside = children.map((child) => expected(child, edits)).join("");
  if (tag === "br") return "<br>";
  const all = classes.flatMap((of) => {
    const edit = edits[of];
    return edit === undefined ? [] : [{ ...edit, html: written(edit, of) }];
  });
  const removal = all.findIndex(({ action }) => action === "remove");
  const here = removal === -1 ? all : all.slice(0, removal + 1);
  const at = (name: string) =>
    here.filter(({ action, position }) => (position ?? action) === name).map(({ html }) => html);
  inside = at("text").at(-1) ?? inside;
  inside = at("prepend").toReversed().join("") + inside + at("append").join("");
  const whole = at("remove").length > 0 ? "" : `${startOf(node)}${inside}</${tag}>`;
  return at("before").join("") + whole + at("after").toReversed().join("");
}

/** Without the end tags that may be left out, but for those that tell `after` from `append`. */
function comparable(html: string): string {
  return html.replaceAll(/<\/(?:li|dt|dd|p|tr|td|th)>(?!\()/g, "");
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

/** Each edit alone, and every two of them, but for what is written after an element that is removed: where that is depends on the one before. */
const pairs = [
  ...edits.map((a) => ({ a })),
  ...edits.flatMap((a) => edits.map((b) => ({ a, b }))),
].filter((pair) => {
  const all = new Set(Object.values(pair).map(({ action, position }) => position ?? action));
  return !(all.has("remove") && all.has("after"));
});

test.each(pairs)(
  "%j of elements in 150 pages that leave end tags out: as the edits of the tree (seed 11)",
  async (pair) => {
    const served = Object.entries(pair).map(([of, { action, position }]) => ({
      action,
      selector: `.${of}`,
      ...(position !== undefined && { position, html: written({ action, position }, of) }),
      ...(action === "text" && { text: written({ action }, of) }),
    }));
    let changed = 0;
    for (let n = 0; n < 150; n++) {
      const page = tree("body", 5);
      const html = asWritten(page, undefined);
      const cut = random(html.length);
      const { text, noted } = await rewritten([html.slice(0, cut), html.slice(cut)], { served });
      if (text !== html) changed += 1;
      const wanted = comparable(expected(page, pair));
      if (noted.length > 0 || comparable(text) !== wanted) {
        expect({ html, text: comparable(text), noted }).toEqual({ html, text: wanted, noted: [] });
      }
    }
    expect(changed).toBeGreaterThan(70);
  },
);
