import { expect, test } from "vitest";
import { decodeDocument, encodeDocument, isStoredDocument } from "./document.ts";
import type { UnitDocument } from "./document.ts";
import { Names } from "./names.ts";
import { OutcomeLog } from "./outcome-log.ts";

const baseMs = 1_767_571_200_000;

function documentIn({ assignments }: Names): UnitDocument {
  const outcomes = new OutcomeLog(baseMs, "");
  const outcome = { hash: 6_000_000_000_000_001, nameId: 0, timeMs: baseMs - 5 };
  outcomes.push({ ...outcome, value: 2.5, delayMinutes: 0 });
  return {
    baseMs,
    exposures: [
      {
        assignment: assignments.of({
          experiment: "checkout",
          phase: 2,
          variant: "control",
          dimensions: [{ dimension: "country", value: "US" }],
          standing: "counted",
        }),
        timeMs: baseMs,
        delayMinutes: 3,
        values: [
          { metric: "purchased", y: 1, d: 0, x: 0.5 },
          { metric: "revenue", y: 2, d: 0, x: 0 },
        ],
        lateEvents: 1,
      },
      {
        assignment: assignments.of({
          experiment: "search",
          phase: 1,
          variant: "a",
          secondVariant: "b",
          dimensions: [],
          standing: "quarantined",
        }),
        timeMs: baseMs - 1_000,
        delayMinutes: 0,
        values: [],
        lateEvents: 0,
      },
    ],
    outside: ["archived"],
    outcomes,
    floorMs: -Infinity,
    hot: false,
  };
}

const parts = ({ outcomes, ...document }: UnitDocument) => ({
  ...document,
  outcomes: outcomes.all,
});

test("format 3 of a stored document stays readable", () => {
  const names = new Names(["purchase", "checkout", "control"]);
  const document = documentIn(names);
  const stored = "3ggwh6tx7MABICSAYBCVIAxMWQY85HAAABAwpcfPUVAkBx-BA";
  expect(encodeDocument(document, names)).toBe(stored);
  expect(names.added().map(([, name]) => name)).toEqual([
    "country",
    "US",
    "search",
    "a",
    "b",
    "archived",
    "BCCADI",
    "purchased",
    "revenue",
    "FBGEH",
  ]);
  expect(parts(decodeDocument(stored, names))).toEqual(parts(document));
  const read = new Names([
    "purchase",
    "checkout",
    "control",
    ...names.added().map(([, name]) => name),
  ]);
  expect(parts(decodeDocument(stored, read))).toEqual(parts(document));
  expect(() => decodeDocument(stored, new Names(["purchase"]))).toThrow("no name");
});

test("documents are found again when outcomes were dropped, and when the unit is hot", () => {
  const names = new Names([]);
  const document = { ...documentIn(names), floorMs: baseMs - 7, hot: true };
  const stored = encodeDocument(document, names);
  expect(parts(decodeDocument(stored, names))).toEqual(parts(document));
});

test("equal assignments are one object, whether they were met or read", () => {
  const names = new Names([]);
  const [met] = documentIn(names).exposures;
  const [again] = decodeDocument(encodeDocument(documentIn(names), names), names).exposures;
  expect(again?.assignment).toBe(met?.assignment);
});

test("values of dimensions are written out when there are many names, in one line", () => {
  const names = new Names(Array.from({ length: 2_000 }, (_, i) => `name ${i}`));
  const document = documentIn(names);
  const value = 'two\nlines "\u0000" \ud800 日本';
  const assignment = names.assignments.of({
    experiment: "search",
    phase: 1,
    variant: "a",
    dimensions: [{ dimension: "query", value }],
    standing: "counted",
  });
  document.exposures = document.exposures.map((exposure) => ({ ...exposure, assignment }));
  const text = encodeDocument(document, names);
  expect(text).not.toContain("\n");
  expect(text.isWellFormed()).toBe(true);
  expect(decodeDocument(text, names).exposures[1]?.assignment.dimensions).toEqual([
    { dimension: "query", value },
  ]);
  expect(names.added().map(([, name]) => name)).not.toContain(value);
});

test("a document of another format is not taken for one", () => {
  const names = new Names([]);
  for (const other of ["[2,0,[],[],[],null,0]", "4", ""]) {
    expect(isStoredDocument(other)).toBe(false);
    expect(() => decodeDocument(other, names)).toThrow("another format");
  }
});
