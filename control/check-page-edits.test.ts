import { describe, expect, test } from "vitest";
import { flagBody } from "../contracts/flag.ts";
import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import { checkExperiment } from "./check-experiment.ts";
import { checkFlag } from "./check-flag.ts";
import { pageEditsErrors } from "./check-page-edits.ts";
import { isStreamable } from "./selector.ts";
import en from "zod/v4/locales/en.js";

// As the workers that take bodies do.
z.config(en());

const edited = (edit: object, urls: object[] = [{ glob: "/shop/*" }]) =>
  ({ pageEdits: [{ urls, edits: [edit] }] }) as never;

const errorsOf = (edit: object, urls?: object[]) =>
  pageEditsErrors(edited(edit, urls), "/variants/1/value");

test.each([
  [{ action: "text", selector: "h1.title", text: "New" }],
  [{ action: "html", selector: "#hero", html: "<b>New</b>" }],
  [{ action: "html", selector: "#hero", html: "<script>1</script>", trusted: true }],
  [{ action: "attribute", selector: "a.cta", name: "href", value: "/sale?from=a:b" }],
  [{ action: "attribute", selector: "a.cta", name: "href", value: "https://example.com" }],
  [{ action: "attribute", selector: "a.cta", name: "rel", value: null }],
  [{ action: "attribute", selector: "a", name: "onclick", value: "go()", trusted: true }],
  [{ action: "class", selector: ".a", add: ["md:flex"], remove: ["b"] }],
  [{ action: "style", selector: ".a", properties: { "background-color": "red", "--gap": "2px" } }],
  [{ action: "remove", selector: ".a > b:not(.c, .d)" }],
  [{ action: "insert", selector: "ul", position: "append", html: "<li>New</li>" }],
  [{ action: "title", text: "New" }],
  [{ action: "meta", name: "og:title", content: "New" }],
  [{ action: "script", code: "go()", trusted: true }],
  [{ action: "stylesheet", css: ".a > b { color: red }" }],
])("%j can be published", (edit) => {
  expect(errorsOf(edit)).toEqual([]);
});

test.each([
  [{ action: "text", selector: "h1[", text: "New" }, "selector", /Not a selector/],
  [{ action: "text", selector: "a:hover", text: "New" }, "selector", /Not a selector/],
  [{ action: "text", selector: "h1" }, "text", /string/],
  [{ action: "move", selector: "h1" }, "action", /text, html, attribute, .* stylesheet/],
  [{ action: "text", selector: "h1", text: "x", html: "y" }, "", /html/],
  [{ action: "html", selector: "h1", html: "x".repeat(20_001) }, "html", /20000/],
  [{ action: "attribute", selector: "a", name: "onclick", value: "go()" }, "value", /trusted/],
  [{ action: "attribute", selector: "a", name: "HREF", value: "javascript:1" }, "value", /trusted/],
  [
    { action: "attribute", selector: "a", name: "href", value: " java\tscript:1" },
    "value",
    /trusted/,
  ],
  [{ action: "attribute", selector: "iframe", name: "srcdoc", value: "x" }, "value", /trusted/],
  [{ action: "attribute", selector: "a", name: "a b", value: "x" }, "name", /letters/],
  [{ action: "class", selector: "a" }, "", /classes/],
  [{ action: "class", selector: "a", add: ["a b"] }, "add/0", /white space/],
  [{ action: "style", selector: "a", properties: {} }, "properties", /property/],
  [{ action: "style", selector: "a", properties: { color: "red; x" } }, "properties/color", /CSS/],
  [{ action: "script", code: "go()" }, "trusted", /trusted: true/],
  [{ action: "script", code: "'</script>'", trusted: true }, "code", /<\\\/script/],
  [{ action: "stylesheet", css: "</style>" }, "css", /<\/style/],
])("%# is refused where it is wrong", (edit, field, detail) => {
  const [error, ...others] = errorsOf(edit);
  expect(others).toEqual([]);
  const at = "/variants/1/value/pageEdits/0/edits/0";
  expect(error?.pointer).toBe(field === "" ? at : `${at}/${field}`);
  expect(error?.detail).toMatch(detail);
});

test.each([
  [
    { action: "insert", selector: "br", position: "append", html: "x" },
    "position",
    /before or after/,
  ],
  [
    { action: "text", selector: "p > img.x:first-child", text: "x" },
    "selector",
    /<img> holds nothing/,
  ],
  [{ action: "html", selector: "input, hr", html: "x" }, "selector", /<input> holds nothing/],
  [{ action: "text", selector: "noscript", text: "x" }, "selector", /<noscript>/],
  [{ action: "text", selector: "SCRIPT", text: "x" }, "action", /html with trusted: true/],
  [{ action: "html", selector: "style#s", html: "x" }, "trusted", /trusted: true/],
  [{ action: "attribute", selector: "iframe", name: "title", value: "x" }, "trusted", /<iframe>/],
  [{ action: "remove", selector: "noscript img" }, "selector", /<noscript>/],
  [{ action: "remove", selector: "a > br > b" }, "selector", /in <br>/],
  [{ action: "remove", selector: "li:nth-child(0)" }, "selector", /from 1/],
  [{ action: "remove", selector: "li:nth-of-type(-n - 2)" }, "selector", /from 1/],
  [{ action: "remove", selector: "a:not(*)" }, "selector", /Nothing is a:not/],
  [{ action: "insert", selector: "html", position: "after", html: "x" }, "position", /body/],
  [{ action: "insert", selector: "head", position: "before", html: "x" }, "position", /body/],
  [{ action: "insert", selector: "p", position: "after", html: "" }, "html", /HTML/],
])("%j can never have a place: refused, saying what to do", (edit, field, detail) => {
  expect(errorsOf(edit)).toEqual([
    {
      pointer: `/variants/1/value/pageEdits/0/edits/0/${field}`,
      detail: expect.stringMatching(detail),
    },
  ]);
});

test.each([
  [{ action: "insert", selector: "br", position: "after", html: "x" }],
  [{ action: "text", selector: "img, figcaption", text: "x" }],
  [{ action: "text", selector: ".br, #hr", text: "x" }],
  [{ action: "html", selector: "style", html: "x", trusted: true }],
  [{ action: "class", selector: "script", add: ["x"] }],
  [{ action: "remove", selector: "noscript" }],
  [{ action: "text", selector: "template h1", text: "x" }],
  [{ action: "remove", selector: "li:nth-child(-n + 2), li:nth-child(n), li:nth-child(2n - 1)" }],
  [{ action: "text", selector: "br-x > style-y", text: "x" }],
])("%j may have one", (edit) => {
  expect(errorsOf(edit)).toEqual([]);
});

test.each([
  [{ exact: "/shop" }],
  [{ exact: "https://shop.example/a?b=c" }],
  [{ glob: "https://*.example/*" }],
  [{ glob: "*/checkout/*" }],
  [{ regex: "^https?://[^/#]*/item" }],
  [{ regex: "^(?:https://a|http://b)" }],
])("the rule %j can be published", (rule) => {
  expect(errorsOf({ action: "title", text: "New" }, [rule])).toEqual([]);
});

test.each([
  [{ exact: "/shop/*" }, /use glob/],
  [{ exact: "*" }, /use glob/],
  [{ exact: "/shop#top" }, /#/],
  [{ glob: "/shop#*" }, /#/],
  [{ regex: "/shop#" }, /#/],
  [{ regex: "^/shop" }, /whole address/],
  [{ regex: "^\\/shop" }, /whole address/],
  [{ exact: "//shop.example/x" }, /Begin with one/],
  [{ exact: "/a b" }, /percent-encode/],
  [{ exact: "\\shop" }, /percent-encode/],
  [{ exact: "https://" }, /Begin with one/],
  [{ exact: "https://a:99999/" }, /Not an address/],
  [{ glob: "https://a b/*" }, /percent-encode/],
  [{ exact: "https://user:secret@shop.example/" }, /password/],
  [{ exact: "shop" }, /Begin with/],
  [{ glob: "shop/*" }, /Begin with/],
  [{ regex: "(a+)+$" }, /./],
  [{ regex: "(" }, /./],
  [{ path: "/" }, /Use \{exact/],
])("the rule %j is refused", (rule, detail) => {
  const errors = errorsOf({ action: "title", text: "New" }, [rule]);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.pointer).toMatch(/^\/variants\/1\/value\/pageEdits\/0\/urls\/0/);
  expect(errors[0]?.detail).toMatch(detail);
});

test("edits of 100 KB are refused, though each is small enough", () => {
  const edits = Array.from({ length: 10 }, () => ({
    action: "html",
    selector: "#hero",
    html: "x".repeat(10_000),
  }));
  const value = { pageEdits: [{ urls: [{ glob: "/*" }], edits }] } as never;
  expect(pageEditsErrors(value, "")).toEqual([
    { pointer: "/pageEdits", detail: expect.stringContaining("50000 characters") },
  ]);
});

test("a value without edits may be anything, and edits beside it are judged alone", () => {
  expect(pageEditsErrors({ edits: 1, nested: { pageEdits: 1 } }, "")).toEqual([]);
  expect(pageEditsErrors("pageEdits", "")).toEqual([]);
  expect(pageEditsErrors({ pageEdits: null }, "/value")[0]?.pointer).toBe("/value/pageEdits");
});

test("a flag with an edit that cannot be done is refused with the place in its body", () => {
  const body = z.parse(flagBody, {
    key: "banner",
    type: "object",
    variants: [
      { key: "off", value: {} },
      { key: "on", value: edited({ action: "remove", selector: "div:last-child" }) },
    ],
    defaultVariant: "off",
  });
  const state = { flags: [], experiments: [], segments: [] } as never;
  expect(checkFlag(body, state)).toEqual([
    {
      pointer: "/variants/1/value/pageEdits/0/edits/0/selector",
      detail: expect.stringContaining("streams"),
    },
  ]);
});

test("an experiment's own values are judged likewise", () => {
  const body = z.parse(experimentBody, {
    key: "banner",
    variants: [
      { key: "control", weight: 50, value: {}, isControl: true },
      { key: "treatment", weight: 50, value: edited({ action: "explode" }) },
    ],
    metrics: { primary: ["m"] },
    plan: { maximumSampleSize: 100 },
  });
  const metric = { archivedAt: null, body: { key: "m" } };
  const state = { flags: [], experiments: [], segments: [], layers: [], metrics: [metric] };
  expect(checkExperiment(body, state as never).map(({ pointer }) => pointer)).toEqual([
    "/variants/1/value/pageEdits/0/edits/0/action",
  ]);
});

describe("selectors", () => {
  test.each([
    ["a, b > .c #d"],
    ["[x]"],
    ["a[x='1']"],
    [String.raw`.md\:flex`],
    ["ul > li:nth-child(2n + 1)"],
    ["é.ü"],
    ["a:not([href^='/'])"],
  ])("%s", (selector) => {
    expect(isStreamable(selector)).toBe(true);
  });

  test.each([[""], ["a,"], ["a + b"], ["a ~ b"], ["a:last-child"], ["> a"], ["[a|b]"], ["#1"]])(
    "not %j",
    (selector) => {
      expect(isStreamable(selector)).toBe(false);
    },
  );

  test("are judged in time that does not explode with their length", () => {
    expect(isStreamable(`${"a ".repeat(249)}[`)).toBe(false);
    expect(isStreamable(`${":not(a)".repeat(70)}:not(`)).toBe(false);
    expect(isStreamable(`${"a".repeat(499)}[`)).toBe(false);
  });
});
