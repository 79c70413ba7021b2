import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { attributeName, json, jsonObject, key, percent } from "./fields.ts";

const takes = (schema: z.ZodMiniType, value: unknown) => z.safeParse(schema, value).success;
const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

test.each(["a", "7", "checkout_page-2.b", "constructor", "x".repeat(100)])(
  "%s is a key",
  (text) => {
    expect(takes(key, text)).toBe(true);
  },
);

test.each(["", "_a", ".a", "a b", "a/b", "é", "__proto__", "a\u001fb", "a\n", "x".repeat(101)])(
  "%j is no key",
  (text) => {
    expect(takes(key, text)).toBe(false);
  },
);

test.each(["targetingKey", "user id", "Größe", "a.b", "constructor"])(
  "%s is an attribute's name",
  (text) => {
    expect(takes(attributeName, text)).toBe(true);
  },
);

test.each(["", "__proto__", "a\u001fb", "\u0000", "a\nb", "\u0085", "\ud800", "x".repeat(65)])(
  "%j is no attribute's name: units are found under keys that control characters join",
  (text) => {
    expect(takes(attributeName, text)).toBe(false);
  },
);

test.each([0, 0.01, 33.33, 29.07, 100])("%d is a percentage", (value) => {
  expect(takes(percent, value)).toBe(true);
});

test.each([-0.01, 100.01, 1.001, Number.NaN, Infinity, "50"])("%j is no percentage", (value) => {
  expect(takes(percent, value)).toBe(false);
});

describe("JSON", () => {
  test.each([null, true, "x", -1.5, [], {}, { a: [{ b: null }] }, { constructor: 1 }, nested(20)])(
    "%j is taken as it is",
    (value) => {
      expect(z.parse(json, value)).toBe(value);
    },
  );

  test.each([
    ["nesting beyond 20 levels", nested(21)],
    ["nesting that would overflow the stack", nested(100_000)],
    ["a number that is infinite", JSON.parse("[1e999]")],
    ["a member __proto__", JSON.parse('{"a":{"__proto__":{"b":1}}}')],
    ["nothing", undefined],
  ])("%s is refused", (_name, value) => {
    expect(takes(json, value)).toBe(false);
  });

  test.each([[[]], ["x"], [null], [1]])("%j is no object", (value) => {
    expect(takes(jsonObject, value)).toBe(false);
  });
});
