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
  [
    "of two contents the last one stands",
    "<ul><li class=o>old<li>B</ul>",
    [text(".o", "first"), text("li.o", "second")],
    "<ul><li class=o>second<li>B</ul>",
  ],
  [
    "what is removed has nothing appended",
    "<ul><li>A<li class=o>old</ul>x",
    [insert(".o", "+"), remove("li.o")],
    "<ul><li>A</ul>x",
  ],
  [
    "what is in one that is filled is not there, what is beside it is",
    "<ul><li class=o>old<p class=i>x<li class=i>B</ul>",
    [text(".o", "new"), insert(".i", "+")],
    "<ul><li class=o>new<li class=i>B+</ul>",
  ],
])("%s", async (_name, page, served, expected) => {
  expect((await rewritten(page, { served })).text).toBe(expected);
  expect((await rewritten(page.split(""), { served })).text).toBe(expected);
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
  // A browser ends what is open in an item with the item, but for what is special to it.
  ["<ul><li class=a><div>A<span><x-y><li>B</ul>c", [remove(".a")], "<ul><li>B</ul>c"],
  ["<ul><li class=a><section>A<li>B</ul>c", [text(".a", "X")], "<ul><li class=a>X</ul>c"],
  ["<p class=a>x <span>y<div>z</div>", [text(".a", "X")], "<p class=a>X<div>z</div>"],
  ["<p class=a>x <button>y<div>z</div></button></p>w", [text(".a", "X")], "<p class=a>X</p>w"],
  [
    "<table><tr><td class=a><table><tr><td>1</table>2<td>3</table>",
    [text(".a", "X")],
    "<table><tr><td class=a>X<td>3</table>",
  ],
  [
    "<div class=w><section class=a>text<p>x</div><p>more",
    [remove(".a")],
    "<div class=w></div><p>more",
  ],
  [
    "<div><ul><li>A<li class=a><b>x</ul></div>y",
    [remove(".a"), insert("div", "+"), insert("ul", "*")],
    "<div><ul><li>A*</ul>+</div>y",
  ],
  [
    "<ul><li class=a><b>x</li><li>B</ul>",
    [text(".a", "X"), insert(".a", "+", "after")],
    "<ul><li class=a>X</li>+<li>B</ul>",
  ],
])("elements that never end take nothing along: %s", async (page, served, expected) => {
  expect((await rewritten(page, { served })).text).toBe(expected);
});
