import { expect, test } from "vitest";
import type { UrlRule } from "../contracts/page-edits.ts";
import { addressOf, urlMatcher } from "./url-rules.ts";

function matcher(rules: readonly UrlRule[]): (address: string) => boolean {
  const matches = urlMatcher(rules);
  return (address) => matches(addressOf(new URL(address)));
}

test.each([
  [{ exact: "/shop" }, "https://a.example/shop?x=1#y", true],
  [{ exact: "/shop" }, "https://a.example/shop/", false],
  [{ exact: "/shop?x=1" }, "https://a.example/shop?x=1", true],
  [{ exact: "/shop?x=1" }, "https://a.example/shop?x=1&y=2", false],
  [{ exact: "https://a.example/shop" }, "https://a.example/shop?x", true],
  [{ exact: "https://a.example/shop" }, "https://b.example/shop", false],
  [{ exact: "/münchen" }, "https://a.example/m%C3%BCnchen", true],
  [{ glob: "/shop/*" }, "https://a.example/shop/a/b", true],
  [{ glob: "/shop/*" }, "https://a.example/shop", false],
  [{ glob: "/*/edit" }, "https://a.example/posts/1/edit", true],
  [{ glob: "/*/edit" }, "https://a.example/posts/1/edit/2", false],
  [{ glob: "/a*b*c" }, "https://a.example/abbc", true],
  [{ glob: "/ab*ba" }, "https://a.example/aba", false],
  [{ glob: "/list?*page=2*" }, "https://a.example/list?sort=a&page=2", true],
  [{ glob: "https://*.example/*" }, "https://shop.example/x", true],
  [{ glob: "*/x" }, "https://shop.example/x", true],
  [{ glob: "*" }, "https://shop.example/x", true],
  [{ regex: "^https://shop\\.example/item/\\d+$" }, "https://shop.example/item/12", true],
  [{ regex: "[?&]ref=ad" }, "https://shop.example/?ref=ad", true],
  [{ regex: "#top" }, "https://shop.example/#top", false],
])("%j and %s: %j", (rule, address, matches) => {
  expect(matcher([rule])(address)).toBe(matches);
});

test("one rule of several is enough", () => {
  const matches = matcher([{ exact: "/a" }, { exact: "/b" }]);
  expect(["/a", "/b", "/c"].map((path) => matches(`https://x.example${path}`))).toEqual([
    true,
    true,
    false,
  ]);
});

test("a regular expression is not asked about addresses longer than it was judged by", () => {
  const matches = matcher([{ regex: "a" }]);
  expect(matches(`https://x.example/${"a".repeat(4_000)}`)).toBe(true);
  expect(matches(`https://x.example/${"a".repeat(4_100)}`)).toBe(false);
});

test("a glob of many parts is matched without backtracking", () => {
  const matches = matcher([{ glob: `/${"a*".repeat(500)}b` }]);
  expect(matches(`https://x.example/${"a".repeat(3_000)}`)).toBe(false);
});
