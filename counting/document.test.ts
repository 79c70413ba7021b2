import { expect, test } from "vitest";
import { decodeDocument, encodeDocument, isStoredDocument, outcomeHash } from "./document.ts";
import type { UnitDocument } from "./document.ts";
import { Names } from "./names.ts";

const document: UnitDocument = {
  baseMs: 1_767_571_200_000,
  exposures: [
    {
      experiment: "checkout",
      phase: 2,
      timeMs: 1_767_571_200_000,
      delayMinutes: 3,
      variant: "control",
      dimensions: [{ dimension: "country", value: "US" }],
      standing: "counted",
      values: [
        { metric: "purchased", y: 1, d: 0, x: 0.5 },
        { metric: "revenue", y: 2, d: 0, x: 0 },
      ],
      lateEvents: 1,
    },
    {
      experiment: "search",
      phase: 1,
      timeMs: 1_767_571_199_000,
      delayMinutes: 0,
      variant: "a",
      secondVariant: "b",
      dimensions: [],
      standing: "quarantined",
      values: [],
      lateEvents: 0,
    },
  ],
  outside: ["archived"],
  outcomes: [6_000_000_000_000_001, 0, -5, 2.5, 0],
  floorMs: -Infinity,
  hot: false,
};

test("format 2 of a stored document stays readable", () => {
  const names = new Names(["purchase", "checkout", "control"]);
  const stored =
    "[2,1767571200000,[[1,2,0,3,2,8,1,3,4,11,1,0,0.5,12,2],[7,1,-1000,0,8,4,9,0]]," +
    "[10],[6000000000000001,0,-5,2.5,0],null,0]";
  expect(encodeDocument(structuredClone(document), names)).toBe(stored);
  expect(names.added().map(([, name]) => name)).toEqual([
    "country",
    "US",
    "purchased",
    "revenue",
    "search",
    "a",
    "b",
    "archived",
  ]);
  const parsed: unknown = JSON.parse(stored);
  if (!isStoredDocument(parsed)) throw new Error("not recognised");
  expect(decodeDocument(parsed, names)).toEqual(document);
  expect(() => decodeDocument(parsed, new Names(["purchase"]))).toThrow("no name");
});

test("values of dimensions are written out when there are many names", () => {
  const names = new Names(Array.from({ length: 2_000 }, (_, i) => `name ${i}`));
  const text = encodeDocument(structuredClone(document), names);
  expect(text).toContain('"US"');
  const parsed: unknown = JSON.parse(text);
  if (!isStoredDocument(parsed)) throw new Error("not recognised");
  expect(decodeDocument(parsed, names)).toEqual(document);
});

test("a document of another format is not taken for one", () => {
  expect(isStoredDocument([1, 0, [], [], [], null, 0])).toBe(false);
  expect(isStoredDocument([2, 0])).toBe(false);
  expect(isStoredDocument(0)).toBe(false);
});

test("an outcome's hash never changes: stored ones are recognised by it", () => {
  // murmur3(id) * 2**21 + (murmur3("\x1f" + id) >> 11), x86 32-bit, seed 0: computed apart from hash32, in Python.
  expect(["", "o1", "0197-ü"].map(outcomeHash)).toEqual([
    1406256, 7510451145772774, 8116279561977072,
  ]);
});
