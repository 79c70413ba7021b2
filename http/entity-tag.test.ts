import { expect, test } from "vitest";
import { matchesTag } from "./entity-tag.ts";

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
  ["", false],
  [null, false],
])('If-None-Match: %s names "a": %s', (header, matches) => {
  expect(matchesTag(header, '"a"')).toBe(matches);
});
