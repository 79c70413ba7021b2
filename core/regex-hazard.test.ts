import { describe, expect, test } from "vitest";
import { regexHazard } from "./regex-hazard.ts";

describe("patterns that people write pass", () => {
  test.each([
    "^US$",
    "(Mobile|Tablet)",
    "@example\\.com$",
    ".*@example\\.com$",
    "^.*@.*\\.com$",
    ".*chrome.*",
    "(iPhone|iPad).*OS 1[0-9]",
    "Mozilla.*(Chrome|Safari)/[0-9]+",
    "^https?://[^/]+/checkout/.*$",
    "^(?:[a-z0-9-]+\\.)+example\\.com$",
    "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "^\\d{1,3}(\\.\\d{1,3}){3}$",
    "^\\s+|\\s+$",
    "^[\\w.+-]+@[\\w-]+\\.[\\w.]+$",
    "bot|crawl|spider|slurp|baidu|bing|yandex|preview",
    "^(foo|bar)+$",
    "^v?\\d+\\.\\d+(\\.\\d+)?$",
    "^/(en|de|fr)(/|$)",
    "\\bpro\\b",
    "(?<year>\\d{4})-\\d\\d",
    "(?=.*x)a",
    "^(?!.*(bot|crawl)).*$",
    "(?<=@)example",
    ".*\\d{10}",
    "[^\\x00-\\x7F]",
    "[]a]|[^]|a{,5}|[\\d-x]|[\\b]",
    "",
  ])("%s", (pattern) => expect(regexHazard(pattern)).toBeNull());
});

describe("what may take for ever is refused", () => {
  test.each([
    "(a+)+",
    "(a+)+$",
    "(a*)*",
    "(a?)*",
    "(a|a)*",
    "(a|ab)*c",
    "(|a)+",
    "(.*a){20}",
    "(\\w+\\s?)*$",
    "(x+x+)+y",
    "(a?){20}a{20}",
    "(?:a{1,30}){1,30}$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(\\s*\\w*\\s*)+",
    "(?:[^,]*,?)*x",
    "(?:(?=a+b)a)+",
    "(?=(a+)+)b",
  ])("%s", (pattern) => expect(regexHazard(pattern)).toContain("several ways"));

  test("letters that differ in case are the same only when case is ignored", () => {
    expect(regexHazard("(?:[a-z]|[A-Z])+1")).toBeNull();
    expect(regexHazard("(?:[a-z]|[A-Z])+1", true)).toContain("several ways");
  });
});

test.each([
  ".*.*.*=.*",
  "\\d+\\d+\\d+$",
  "a.*b.*c",
  "a?".repeat(40) + "a".repeat(40),
  // Each took seconds on a text made for it.
  "[^\\s@]{2,}(?:x{2,}--+){2}",
  "b+(?=[a-z]*1)$",
  "a*(?<=b.*)[cd]",
  ".*a{4000}",
  // Tenths of a second.
  "\\w{1,7}\\w*x",
  "^.*.{0,7}.*x$",
])("too many ways to divide a text: %s", (pattern) =>
  expect(regexHazard(pattern)).toContain("too many repetitions"),
);

test.each(["(a)\\1", "(?<x>a)\\k<x>", "\\p{L}", "\\u{41}", "\\x4"])(
  "what is not followed is refused: %s",
  (pattern) => expect(regexHazard(pattern)).toContain("cannot be shown"),
);

test("length and syntax", () => {
  expect(regexHazard("x".repeat(500))).toBeNull();
  expect(regexHazard("x".repeat(501))).toBe("longer than 500 characters");
  expect(regexHazard("/???***[)")).toContain("nvalid regular expression");
});
