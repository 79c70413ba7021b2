import { describe, expect, test } from "vitest";
import type { Edit } from "../contracts/page-edits.ts";
import { contentSecurityPolicy } from "./csp.ts";
import { rewriterOf } from "./rewrite.ts";
import { exposureOf, rewritten } from "../test/worker-rewriting.ts";

const body = `<div id="d" class="a b" style="color: red">one <b>two</b></div>`;

describe("edits of elements", () => {
  test.each([
    [{ action: "text", text: "<3 & more" }, `<div ATTRS>&lt;3 &amp; more</div>`],
    [{ action: "html", html: "<i>x</i>" }, `<div ATTRS><i>x</i></div>`],
    [{ action: "remove" }, ""],
    [{ action: "insert", position: "before", html: "<i>" }, `<i><div ATTRS>one <b>two</b></div>`],
    [{ action: "insert", position: "after", html: "<i>" }, `<div ATTRS>one <b>two</b></div><i>`],
    [{ action: "insert", position: "prepend", html: "<i>" }, `<div ATTRS><i>one <b>two</b></div>`],
    [{ action: "insert", position: "append", html: "<i>" }, `<div ATTRS>one <b>two</b><i></div>`],
    [
      { action: "attribute", name: "title", value: `"<&>'` },
      `<div ATTRS title="&quot;<&amp;>'">one <b>two</b></div>`,
    ],
    // What a browser would read as a script's address is written as the text that it is.
    [
      { action: "attribute", name: "href", value: "&#106;avascript:alert(1)" },
      `<div ATTRS href="&amp;#106;avascript:alert(1)">one <b>two</b></div>`,
    ],
    [
      { action: "attribute", name: "style", value: null },
      `<div id="d" class="a b">one <b>two</b></div>`,
    ],
    [
      { action: "class", add: ["c", "b"], remove: ["a", "z"] },
      `<div id="d" class="b c" style="color: red">one <b>two</b></div>`,
    ],
    [
      { action: "style", properties: { "--x": "1", color: "blue" } },
      `<div id="d" class="a b" style="color: red; --x: 1; color: blue">one <b>two</b></div>`,
    ],
    [
      { action: "style", properties: { color: "red&#59 background-image:url(/evil)" } },
      `<div id="d" class="a b" style="color: red; color: red&amp;#59 background-image:url(/evil)">one <b>two</b></div>`,
    ],
  ])("%j", async (edit, expected) => {
    const { text, met } = await rewritten(`<p>${body}`, { served: [{ selector: "#d", ...edit }] });
    expect(text).toBe(`<p>${expected.replace("ATTRS", `id="d" class="a b" style="color: red"`)}`);
    expect(met).toBe(true);
  });

  test("several of one element are all made", async () => {
    const { text } = await rewritten("<a>x</a>", {
      served: [
        { action: "class", selector: "a", add: ["c"] },
        { action: "text", selector: "a", text: "y" },
        { action: "insert", selector: "a", position: "append", html: "!" },
        { action: "attribute", selector: "a:not(.z)", name: "href", value: "/" },
      ],
    });
    expect(text).toBe(`<a class="c" href="/">y!</a>`);
  });

  test.each([["p"], ["div"]])("of several contents of a %s the last one stands", async (tag) => {
    const { text } = await rewritten(`<${tag}>old</${tag}>`, {
      served: [
        { action: "text", selector: tag, text: "first" },
        { action: "html", selector: tag, html: "<b>second</b>" },
        { action: "insert", selector: tag, position: "prepend", html: "1" },
        { action: "insert", selector: tag, position: "prepend", html: "0" },
        { action: "insert", selector: tag, position: "after", html: "4" },
        { action: "insert", selector: tag, position: "append", html: "2" },
        { action: "insert", selector: tag, position: "after", html: "3" },
      ],
    });
    expect(text).toBe(`<${tag}>01<b>second</b>2</${tag}>34`);
  });

  test.each([["p"], ["div"]])(
    "nothing is left of a %s that is changed and removed",
    async (tag) => {
      const { text } = await rewritten(`a<${tag}>old</${tag}>b`, {
        served: [
          { action: "text", selector: tag, text: "new" },
          { action: "insert", selector: tag, position: "append", html: "!" },
          { action: "remove", selector: tag },
        ],
      });
      expect(text).toBe("ab");
    },
  );

  test("another variant's are looked for and not made", async () => {
    const { text, met } = await rewritten(body, {
      other: [{ action: "remove", selector: "#d" }],
    });
    expect(text).toBe(body);
    expect(met).toBe(true);
  });

  test("in what has been removed nothing is met", async () => {
    const edit = { action: "text", selector: "b", text: "x" };
    const removal = { action: "remove", selector: "#d" };
    const without = await rewritten(body, { other: [edit] });
    expect(without.met).toBe(true);
    const told: (string | undefined)[] = [];
    const page = rewriterOf(
      [
        { edit: removal as Edit, served: true, exposure: exposureOf("removes") },
        { edit: edit as Edit, served: false, exposure: exposureOf("inside") },
      ],
      {
        csp: contentSecurityPolicy(null),
        notes: { note: () => {} },
        met: ({ exposure }) => told.push(exposure?.experiment),
        bootstrap: null,
        rest: () => undefined,
      },
    );
    expect(await page.transform(new Response(body)).text()).toBe("");
    expect(told).toEqual(["removes"]);
  });

  test.each([
    ["<br>", { action: "text", selector: "br", text: "t" }],
    ["<script>1</script>", { action: "text", selector: "script", text: "t" }],
    ["<style>a{}</style>", { action: "html", selector: "style", html: "t" }],
    ["<script>1</script>", { action: "insert", selector: "script", position: "append", html: "t" }],
    [
      "<script>1</script>",
      { action: "attribute", selector: "script", name: "src", value: "/x.js" },
    ],
    [`<base href="/">`, { action: "attribute", selector: "base", name: "href", value: "/x" }],
  ])("%s has no place for %j, for nobody", async (page, edit) => {
    for (const given of [{ served: [edit] }, { other: [edit] }]) {
      const { text, met } = await rewritten(page, given);
      expect({ text, met }).toEqual({ text: page, met: false });
    }
  });

  test.each([
    [{ selector: "text", action: "insert", position: "before", html: "<b>x</b>" }],
    [{ selector: "text", action: "insert", position: "append", html: "<b>x</b>" }],
    [{ selector: "svg", action: "html", html: "<b>x</b>" }],
  ])("HTML does not break a picture off: %j", async (edit) => {
    const page = "<svg><text>t</text></svg>";
    for (const given of [{ served: [edit] }, { other: [edit] }]) {
      expect(await rewritten(page, given)).toEqual({
        text: page,
        met: false,
        noted: ["unsafe-place"],
      });
    }
    const { text, met } = await rewritten(page, { served: [{ ...edit, trusted: true }] });
    expect([text === page, met]).toEqual([false, true]);
  });

  test.each([
    [{ selector: "text", action: "text", text: "x" }, "<svg><text>x</text></svg>"],
    [
      { selector: "svg", action: "insert", position: "after", html: "<b>x</b>" },
      "<svg><text>t</text></svg><b>x</b>",
    ],
  ])("a picture is edited by %j", async (edit, expected) => {
    expect((await rewritten("<svg><text>t</text></svg>", { served: [edit] })).text).toBe(expected);
  });

  test("an unsafe place is noted, and a trusted edit is made there", async () => {
    const edit = { action: "html", selector: "script", html: "go()" };
    const page = "<script>1</script>";
    expect((await rewritten(page, { served: [edit] })).noted).toEqual(["unsafe-place"]);
    const { text } = await rewritten(page, { served: [{ ...edit, trusted: true }] });
    expect(text).toBe("<script>go()</script>");
  });

  test.each([
    ["default-src 'self'", { action: "attribute", name: "STYLE", value: "color: blue" }],
    ["script-src 'self'", { action: "attribute", name: "onclick", value: "go()", trusted: true }],
    [
      "script-src 'nonce-x'",
      { action: "attribute", name: "href", value: "javascript:go()", trusted: true },
    ],
    ["sandbox", { action: "attribute", name: "onclick", value: "go()", trusted: true }],
  ])("under %s a browser ignores %j: not made, met by nobody, counted", async (csp, edit) => {
    const edits = [{ selector: "#d", ...edit }];
    for (const given of [{ served: edits }, { other: edits }]) {
      expect(await rewritten(body, { ...given, csp })).toEqual({
        text: body,
        met: false,
        noted: ["forbidden-by-csp"],
      });
    }
    const { text, met } = await rewritten(body, { served: edits });
    expect([text === body, met]).toEqual([false, true]);
    const declared = `<head><meta http-equiv=content-security-policy content="${csp}"></head>${body}`;
    if (csp !== "sandbox") {
      expect((await rewritten(declared, { served: edits })).text).toBe(declared);
    }
    // What is declared in the body counts for nothing, whatever else is edited around.
    const late = `<html class=h><head></head>${declared.slice(6, -7 - body.length)}${body}</html>`;
    const around = [
      { action: "insert", selector: "html", position: "append", html: "+" },
      ...edits,
    ];
    expect((await rewritten(late, { served: around })).noted).toEqual([]);
  });

  test("style attributes are left alone where the policy forbids them, for everybody", async () => {
    const edit = { action: "style", selector: "#d", properties: { color: "blue" } };
    const csp = "default-src 'self'; style-src 'self' 'nonce-n'";
    for (const given of [{ served: [edit] }, { other: [edit] }]) {
      const { text, met, noted } = await rewritten(body, { ...given, csp });
      expect({ text, met }).toEqual({ text: body, met: false });
      expect(noted).toEqual(["forbidden-by-csp"]);
    }
  });
});

test("whatever throws in a handler, the page goes on as it is, noted", async () => {
  const page = `<html><head><title>Old</title></head><body>${body}</body></html>`;
  const served = [
    { action: "class", selector: "b", add: ["x"] },
    { action: "meta", name: "x", content: "x" },
  ];
  const { text, noted } = await rewritten(page, { served, fails: true });
  expect(text).toBe(page);
  expect(noted).toEqual(["failed", "failed"]);
});

describe("elements without their end tag end where a browser ends them", () => {
  const list = `<ul><li class="a">A<li>B<li>C</ul><p>after`;
  const at = (edit: object) => ({ served: [{ selector: ".a", ...edit }] });
  test.each([
    [list, at({ action: "text", text: "X" }), `<ul><li class="a">X<li>B<li>C</ul><p>after`],
    [list, at({ action: "remove" }), `<ul><li>B<li>C</ul><p>after`],
    [
      list,
      at({ action: "insert", position: "append", html: "+" }),
      `<ul><li class="a">A+<li>B<li>C</ul><p>after`,
    ],
    [
      list,
      at({ action: "insert", position: "after", html: "<li>N" }),
      `<ul><li class="a">A</li><li>N<li>B<li>C</ul><p>after`,
    ],
    [`<ul><li>A<li class="a">B</ul>after`, at({ action: "remove" }), `<ul><li>A</ul>after`],
    [
      `<ul><li class="a">A<li class="a">B<li class="a">C</ul>after`,
      at({ action: "remove" }),
      `<ul></ul>after`,
    ],
    [
      `<ul><li class="a">A<li class="a">B</ul>after`,
      at({ action: "html", html: "<b>N</b>" }),
      `<ul><li class="a"><b>N</b><li class="a"><b>N</b></ul>after`,
    ],
    [
      `<ul><li class="a">A</li><li class="a">B</li></ul>`,
      at({ action: "text", text: "X" }),
      `<ul><li class="a">X</li><li class="a">X</li></ul>`,
    ],
    [
      `<body><p class="a">A<div>B</div>t</body>`,
      at({ action: "remove" }),
      `<body><div>B</div>t</body>`,
    ],
    [
      `<p class="a">A <b>b <!-- c --></b> c<br>d</p>e`,
      at({ action: "text", text: "X" }),
      `<p class="a">X</p>e`,
    ],
    [
      `<li class="a"><p>one<p>two<ul><li>in</ul>t<li>B</ul>`,
      at({ action: "text", text: "X" }),
      `<li class="a">X<li>B</ul>`,
    ],
    [
      `<ul><li class="a"><ul><li>in<li>in</ul></li><li>B</ul>`,
      at({ action: "insert", position: "append", html: "+" }),
      `<ul><li class="a"><ul><li>in<li>in</ul>+</li><li>B</ul>`,
    ],
    [
      `<table><tr class="a"><td>1<td>2<tr><td>3</table>x`,
      at({ action: "remove" }),
      `<table><tr><td>3</table>x`,
    ],
    [
      `<table><tr><td>1<td class="a">2<tr><td>3</table>x`,
      at({ action: "text", text: "X" }),
      `<table><tr><td>1<td class="a">X<tr><td>3</table>x`,
    ],
    [
      `<select><option class="a">A<option>B</select>x`,
      at({ action: "text", text: "X" }),
      `<select><option class="a">X<option>B</select>x`,
    ],
    [`<dl><dt class="a">A<dd>B<dt>C</dl>`, at({ action: "remove" }), `<dl><dd>B<dt>C</dl>`],
    [
      `<ul><li class="a">A<li class="b, c">B<li>C</ul>`,
      at({
        action: "remove",
        selector: `li:not(:not(.a), .c), [class="b, c"]:not([x="("], :not([class]))`,
      }),
      `<ul><li>C</ul>`,
    ],
  ])("%s %j", async (page, given, expected) => {
    expect((await rewritten(page, given)).text).toBe(expected);
    // However the page is cut into chunks.
    expect((await rewritten(page.split(""), given)).text).toBe(expected);
  });
});
