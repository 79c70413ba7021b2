/** Edits of one element, or of elements in each other, under several selectors, where end tags may be left out. Expected as browsers read it. */
import { expect, test } from "vitest";
import type { ElementEdit } from "../contracts/page-edits.ts";
import { rewritten } from "../test/worker-rewriting.ts";

const insert = (selector: string, html: string, position: "append" | "after" = "append") =>
  ({ action: "insert", selector, position, html }) satisfies ElementEdit;
const remove = (selector: string) => ({ action: "remove", selector }) satisfies ElementEdit;
const text = (selector: string, to: string) =>
  ({ action: "text", selector, text: to }) satisfies ElementEdit;

const nested = "<ul><li class=o><p class=i><span>s</span> t<p>next<li>B</ul>";
const nestedBoth = "<ul><li class=o><p class=i><span>s</span> t+I<p>next+O<li>B</ul>";

test.each([
  [
    "both are appended",
    `<p class="a">1</p>`,
    [insert(".a", "<b>2</b>"), insert("p.a", "<i>3</i>")],
    `<p class="a">1<b>2</b><i>3</i></p>`,
  ],
  [
    "one is appended, the other comes after",
    `<p class="a">1</p>x`,
    [insert(".a", "<b>2</b>"), insert("p.a", "<i>3</i>", "after")],
    `<p class="a">1<b>2</b></p><i>3</i>x`,
  ],
  [
    "each in its own, the outer one first",
    nested,
    [insert(".o", "+O"), insert(".i", "+I")],
    nestedBoth,
  ],
  [
    "each in its own, the inner one first",
    nested,
    [insert(".i", "+I"), insert(".o", "+O")],
    nestedBoth,
  ],
  [
    "what is removed takes along what is in it",
    "<ul><li class=o><p class=i>x<p>next<li>B</ul>",
    [remove(".o"), insert(".i", "+I")],
    "<ul><li>B</ul>",
  ],
])("%s", async (_name, page, served, expected) => {
  expect((await rewritten(page, { served })).text).toBe(expected);
});

test.each([
  [remove("p"), "end"],
  [text("p", "new"), "<p class=a>new</p>end"],
])("in what is taken away nothing is edited, whoever was first: %j", async (taker, expected) => {
  const served = [text(".a b", "leak"), taker];
  const { text: html } = await rewritten("<p class=a>x <b>y</b> z</p>end", { served });
  expect(html).toBe(expected);
});

test.each([
  [
    "<ul><li class=a><a href=/>A<li><a href=/>B</a><li>C</ul>",
    [remove(".a")],
    "<ul><li><a href=/>B</a><li>C</ul>",
  ],
  [
    "<div><p class=a>text <b>bold<p>next</p><h2>more</h2></div>tail",
    [text(".a", "X")],
    "<div><p class=a>X<p>next</p><h2>more</h2></div>tail",
  ],
  [
    "<p class=a>1 <img src=x> <br/> <b>2 <i>3</i></b><script>4</script><!-- 5 --></p>end",
    [text(".a", "X")],
    "<p class=a>X</p>end",
  ],
])("elements that never end take nothing along: %s", async (page, served, expected) => {
  expect((await rewritten(page, { served })).text).toBe(expected);
});
