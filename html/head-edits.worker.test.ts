import { describe, expect, test } from "vitest";
import { rewritten } from "../test/worker-rewriting.ts";

const title = { action: "title", text: "New & <b>" };
const meta = { action: "meta", name: "description", content: `"new"` };
const script = { action: "script", code: "go(1 < 2)", trusted: true };
const stylesheet = { action: "stylesheet", css: ".a > b { color: red }" };
const newTitle = "<title>New &amp; &lt;b&gt;</title>";

test.each([
  [
    "where they are",
    `<head><meta name="Description" content="old"><title>Old</title></head><body>`,
    [title, meta],
    `<head><meta name="Description" content="&quot;new&quot;">${newTitle}</head><body>`,
  ],
  [
    "at the head's end where there are none",
    "<head><link></head><body>",
    [title, meta],
    `<head><link>${newTitle}<meta name="description" content="&quot;new&quot;"></head><body>`,
  ],
  [
    "before the body where the head has no end tag",
    "<html><head><link><body>",
    [title],
    `<html><head><link>${newTitle}<body>`,
  ],
  ["before the body where there is no head", "<html><body>", [title], `<html>${newTitle}<body>`],
  [
    "once, the last one",
    "<head></head>",
    [{ ...title, text: "First" }, title],
    `<head>${newTitle}</head>`,
  ],
  [
    "for social networks as properties",
    "<head></head>",
    [{ ...meta, name: "og:title", content: "T" }],
    `<head><meta property="og:title" content="T"></head>`,
  ],
  [
    "and no picture's title",
    `<head><title>Old</title></head><body><svg><title>Picture</title></svg>`,
    [title],
    `<head>${newTitle}</head><body><svg><title>Picture</title></svg>`,
  ],
  [
    "scripts and style sheets at the head's end",
    "<head><link></head><body><header></header>",
    [script, stylesheet],
    "<head><link><script>go(1 < 2)</script><style>.a > b { color: red }</style></head><body><header></header>",
  ],
])("head edits are made %s", async (_name, page, served, expected) => {
  const { text, met } = await rewritten(page, { served });
  expect({ text, met }).toEqual({ text: expected, met: true });
  const looked = await rewritten(page, { other: served });
  expect(looked).toEqual({ text: page, met: true, noted: [] });
});

test.each([
  [
    "a title in a picture, a template or for browsers without scripts",
    "<svg><title>a</title></svg><template><title>b</title></template><noscript><title>c</title></noscript><math><title>d</title></math>",
    [title],
  ],
  [
    "a description in a template",
    `<template><meta name="description" content="x"></template>`,
    [meta],
  ],
])("%s is not the page's", async (_name, page, served) => {
  expect(await rewritten(page, { served })).toEqual({ text: page, met: false, noted: [] });
});

test.each([
  ["a title", "<head><title>New &amp; &#60;b></title></head>", [title]],
  ["a description", `<head><meta name="description" content="&quot;new&#x22;"></head>`, [meta]],
])("%s that is there already is no place", async (_name, page, edits) => {
  for (const given of [{ served: edits }, { other: edits }]) {
    expect((await rewritten(page, given)).met).toBe(false);
  }
});

test("a page without head and body has no place for them, for nobody", async () => {
  for (const given of [{ served: [script] }, { other: [script] }]) {
    expect(await rewritten("<p>text", given)).toMatchObject({ text: "<p>text", met: false });
  }
});

describe("under a content security policy", () => {
  const page = "<head></head><body>";
  test.each([
    ["script-src 'nonce-abc'; style-src 'nonce-abc'", "abc"],
    ["default-src 'self' 'nonce-abc'", "abc"],
    ["script-src 'unsafe-inline'; style-src 'unsafe-inline'", null],
    ["img-src 'self'", null],
    ["default-src 'nonce-abc', script-src 'nonce-abc' 'strict-dynamic'", "abc"],
  ])("%s: written with what it asks for", async (csp, nonce) => {
    const { text } = await rewritten(page, { served: [script, stylesheet], csp });
    const attribute = nonce === null ? "" : ` nonce="${nonce}"`;
    expect(text).toBe(
      `<head><script${attribute}>go(1 < 2)</script><style${attribute}>.a > b { color: red }</style></head><body>`,
    );
  });

  test.each([
    ["default-src 'self'"],
    ["script-src 'self'; style-src 'self'"],
    ["default-src 'unsafe-inline' 'sha256-x'"],
    ["default-src 'nonce-a', default-src 'nonce-b'"],
    ["sandbox; style-src 'none'"],
  ])("%s: not written, and met by nobody", async (csp) => {
    for (const given of [{ served: [script, stylesheet] }, { other: [script, stylesheet] }]) {
      const { text, met, noted } = await rewritten(page, { ...given, csp });
      expect({ text, met }).toEqual({ text: page, met: false });
      expect(noted).toEqual(["forbidden-by-csp", "forbidden-by-csp"]);
    }
  });

  test.each([
    ["script-src &#39;self&#x27;", null],
    ["script-src &apos;nonce-n&apos;", "n"],
    ["&sandbox-something;", null],
    ["sandbox", ""],
  ])(
    "a policy that the page itself declares as %s is read as browsers do",
    async (content, nonce) => {
      const declared = `<head><meta http-equiv=" content-security-policy" content="${content}"></head>`;
      const { text } = await rewritten(declared, { served: [script] });
      const attribute = nonce === "" ? "" : ` nonce="${nonce}"`;
      const written = nonce === null ? "" : `<script${attribute}>go(1 < 2)</script>`;
      expect(text).toBe(declared.replace("</head>", `${written}</head>`));
    },
  );

  test("a policy that the page itself declares counts", async () => {
    const declared = `<head><meta http-equiv="Content-Security-Policy" content="script-src 'self'"></head><body>`;
    expect(await rewritten(declared, { served: [script] })).toEqual({
      text: declared,
      met: false,
      noted: ["forbidden-by-csp"],
    });
  });
});

describe("the bootstrap", () => {
  const bootstrap = `<script type="application/json" id="edgewise">{}</script>`;
  test.each([
    ["<html><head><script></script></head>", `<html><head>${bootstrap}<script></script></head>`],
    ["<title>x</title><p>t", `${bootstrap}<title>x</title><p>t`],
    ["<body>t", `${bootstrap}<body>t`],
    [
      `<noscript><link></noscript><script></script>`,
      `<noscript><link></noscript>${bootstrap}<script></script>`,
    ],
  ])("%s: before any script", async (page, expected) => {
    expect((await rewritten(page, { bootstrap })).text).toBe(expected);
  });
});
