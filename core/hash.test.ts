import { assert, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";
import { bucket, hash32 } from "./hash.ts";

test("an unpaired surrogate counts as U+FFFD", () => {
  expect(hash32("a\ud800b")).toBe(hash32("a\ufffdb"));
  expect(bucket("s", "\udc00\ud800")).toBe(bucket("s", "\ufffd\ufffd"));
  expect(bucket("s\ud83d", "\ude42")).toBe(bucket("s\ufffd", "\ufffd"));
});

test("a bucket is the hash of salt:unit modulo 10000, whatever the text and its length", () => {
  const text = oneof(
    string({ maxLength: 600 }),
    string({ unit: "binary", maxLength: 300 }),
    string({ unit: "grapheme", maxLength: 50 }),
  );
  assert(
    property(text, text, (salt, unit) => {
      expect(bucket(salt, unit)).toBe(hash32(`${salt}:${unit}`) % 10_000);
    }),
  );
});

test("an answer does not depend on what was hashed before", () => {
  const before = hash32("short");
  hash32("something a good deal longer than that, so that more is left over");
  hash32("é".repeat(1000));
  expect(hash32("short")).toBe(before);
});
