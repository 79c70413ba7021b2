/** Which elements are places of which edits: those that it would change, where the visitor sees it. */
import { describe, expect, test } from "vitest";
import type { Edit } from "../contracts/page-edits.ts";
import { contentSecurityPolicy } from "./csp.ts";
import { rewriterOf } from "./rewrite.ts";
import { exposureOf, rewritten } from "../test/worker-rewriting.ts";

describe("an edit that changes nothing is no place, for nobody", () => {
  const page = `<p id="p" class="x  y" title="a&amp;&#98;" style="margin:0;color : red;">New <!-- c -->&lt;3&nbsp;</p><p>z`;
  test.each([
    [{ action: "class", add: ["x"] }],
    [{ action: "class", remove: ["z"] }],
    [{ action: "attribute", name: "title", value: "a&b" }],
    [{ action: "attribute", name: "lang", value: null }],
    [{ action: "style", properties: { color: "red" } }],
    [{ action: "style", properties: { margin: "0", color: "red" } }],
    [{ action: "insert", position: "append", html: "" }],
  ])("%j", async (edit) => {
    const edits = [{ selector: "#p", ...edit }];
    for (const given of [{ served: edits }, { other: edits }]) {
      expect(await rewritten(page, given)).toEqual({ text: page, met: false, noted: [] });
    }
  });

  test.each([
    [{ action: "text", text: "New <3\u00a0" }],
    [{ action: "html", html: "New &lt;3&nbsp;" }],
  ])("%j", async (edit) => {
    const edits = [{ selector: "#p", ...edit }];
    for (const given of [{ served: edits }, { other: edits }]) {
      expect((await rewritten(page, given)).met).toBe(false);
      expect((await rewritten(page.split(""), given)).met).toBe(false);
      expect((await rewritten(page.replace("<p>z", ""), given)).met).toBe(false);
    }
  });

  test.each([
    ["<p id=p>New</p>", { action: "class", add: ["x"] }],
    ["<p id=p class=x>New</p>", { action: "class", add: ["y"], remove: ["x"] }],
    ["<p id=p>New <b>b</b></p>", { action: "text", text: "New b" }],
    ["<p id=p>New", { action: "text", text: "New " }],
    ["<p id=p>New", { action: "html", html: "<b>New</b>" }],
    ["<p id=p></p>", { action: "text", text: "New" }],
    ["<p id=p>&hearts;</p>", { action: "text", text: "♥ or not" }],
    ["<p id=p style='color: blue'>", { action: "style", properties: { color: "red" } }],
    ["<p id=p style='background-color: red'>", { action: "style", properties: { color: "red" } }],
    ["<p id=p title>", { action: "attribute", name: "title", value: null }],
  ])("on %s %j changes something", async (other, edit) => {
    const edits = [{ selector: "#p", ...edit }];
    for (const given of [{ served: edits }, { other: edits }]) {
      expect((await rewritten(other, given)).met).toBe(true);
    }
  });

  test("no empty class is left", async () => {
    const served = [{ action: "class", selector: "p", remove: ["a"] }];
    expect((await rewritten(`<p class=" a ">x<p>y`, { served })).text).toBe("<p>x<p>y");
  });
});

describe("what the visitor does not see is no place", () => {
  const edit = { action: "text", selector: ".a", text: "New" };
  test.each([
    ["<template><p class=a>x</p></template>"],
    ["<noscript><p class=a>x</p></noscript>"],
    ["<noscript class=a>x</noscript><template class=a>x</template>"],
    ["<template><template shadowrootmode=open><p class=a>x</p></template></template>"],
    ["<svg><path class=a /></svg>"],
    ["<script>'<p class=a>'</script><!-- <p class=a> --><textarea><p class=a></textarea>"],
  ])("%s", async (page) => {
    for (const given of [{ served: [edit] }, { other: [edit] }]) {
      expect(await rewritten(page, given)).toEqual({ text: page, met: false, noted: [] });
    }
  });

  test("a shadow root that is declared is seen", async () => {
    const page = "<x-y><template shadowrootmode=open><p class=a>x</p></template></x-y>";
    const { text, met } = await rewritten(page, { served: [edit] });
    expect({ text, met }).toEqual({ text: page.replace("x</p>", "New</p>"), met: true });
  });

  test("what a later edit of another experiment takes away is not met; what it leaves is", async () => {
    const metOf = async (...edits: object[]) => {
      const told: string[] = [];
      const planned = edits.map((each, index) => ({
        edit: { selector: "p", ...each } as Edit,
        served: true,
        exposure: exposureOf(String(index)),
      }));
      const page = rewriterOf(planned, {
        csp: contentSecurityPolicy(null),
        notes: { note: () => {} },
        met: ({ exposure }) => told.push(exposure?.experiment ?? ""),
        bootstrap: null,
        rest: () => undefined,
      });
      const text = await page.transform(new Response("<p>old</p>")).text();
      return [text, told.toSorted((one, other) => one.localeCompare(other)).join("")];
    };
    const [remove, fill, before, hue] = [
      { action: "remove" },
      { action: "text", text: "new" },
      { action: "insert", position: "before", html: "!" },
      { action: "class", add: ["x"] },
    ];
    expect(await metOf(fill, hue, remove)).toEqual(["", "2"]);
    expect(await metOf(before, remove)).toEqual(["!", "01"]);
    expect(await metOf(remove, before)).toEqual(["", "0"]);
    expect(await metOf(fill, { action: "text", text: "newer" })).toEqual(["<p>newer</p>", "1"]);
    expect(await metOf(hue, fill)).toEqual([`<p class="x">new</p>`, "01"]);
  });
});

describe("a page that ends without end tags is edited to its end", () => {
  test.each([
    ["<p>text", "<p>text+"],
    ["<div><p>text", "<div><p>text+"],
    ["<div><b>text", "<div><b>text", "b:not(b)"],
    ["<div>x<span>y", "<div>x<span>y+", "span"],
    ["<main><p>a<section>b", "<main><p>a+<section>b"],
  ])("%s", async (page, expected, selector = "p") => {
    const served = [{ action: "insert", selector, position: "append", html: "+" }];
    expect((await rewritten(page, { served })).text).toBe(expected);
  });

  test("each in its own, and after them", async () => {
    const served = [
      { action: "insert", selector: "p", position: "after", html: "<i>1</i>" },
      { action: "insert", selector: "div", position: "append", html: "2" },
      { action: "insert", selector: "div", position: "after", html: "3" },
    ];
    const { text, met } = await rewritten("<div><p>text", { served });
    expect({ text, met }).toEqual({ text: "<div><p>text</p><i>1</i>2</div>3", met: true });
  });

  describe("not where the rewriter did not get it to its end, and then nobody met it", () => {
    const append = [{ action: "insert", selector: "p", position: "append", html: "+" }];
    const after = [{ action: "insert", selector: "p", position: "after", html: "+" }];
    const refused = "<select><xmp></xmp></select>";

    test.each([
      [append, `<p>text${refused}</p>`],
      [after, `<p>text${refused}</p>`],
      [append, "<p>text<script>go("],
      [after, "<p>text<b title='"],
      [[{ ...after[0], selector: "template" }], `<template>text${refused}</template>`],
    ])("%j in %s", async (edits, page) => {
      for (const given of [{ served: edits }, { other: edits }]) {
        const { text, met } = await rewritten(page, given);
        expect({ text, met }).toEqual({ text: page, met: false });
      }
    });

    test.each([
      [append, `<p>text</p>${refused}`, `<p>text+</p>${refused}`],
      [after, `<p>text</p>${refused}`, `<p>text</p>+${refused}`],
      // Ended by another's beginning or end.
      [append, `<p>text<div>${refused}`, `<p>text+<div>${refused}`],
      [append, `<div><p>text</div>${refused}`, `<div><p>text+</div>${refused}`],
      [append, "<p>text", "<p>text+"],
    ])("it was met that could be made: %j in %s", async (edits, page, expected) => {
      const served = await rewritten(page, { served: edits });
      expect(served).toMatchObject({ text: expected, met: true });
      expect(await rewritten(page, { other: edits })).toMatchObject({ text: page, met: true });
    });

    test("where nothing can be in the element, what is after it is met at once", async () => {
      const edits = [{ action: "insert", selector: "br", position: "after", html: "+" }];
      for (const given of [{ served: edits }, { other: edits }]) {
        expect((await rewritten(`<br>${refused}`, given)).met).toBe(true);
      }
    });
  });
});
