import { expect, test } from "vitest";
import { current, matured, populationsOf } from "./aggregate.ts";
import type { CellRow, CohortRow, PopulationRow } from "./aggregate.ts";
import { lowestValues } from "./kept-values.ts";
import type { CountedMetric } from "./types.ts";

const hour = 3_600_000;
const bought: CountedMetric = {
  key: "bought",
  type: "proportion",
  event: "buy",
  aggregation: "any",
  windowMs: 2 * hour,
};
const returned: CountedMetric = {
  ...bought,
  key: "returned",
  type: "retention",
  returnDays: 1,
  windowMs: 0,
};

const row = (rest: Partial<CohortRow> = {}): CohortRow => ({
  variant: "a",
  dimension: "",
  value: "",
  cohortStart: 100,
  cohortHours: 1,
  ...rest,
});
const population = (n: number, rest?: Partial<CohortRow>): PopulationRow => ({ ...row(rest), n });
const cell = (y: number, rest: Partial<CellRow> = {}): CellRow => ({
  ...row(rest),
  metric: "bought",
  y,
  yy: 10 * y,
  d: 0,
  dd: 0,
  yd: 0,
  x: 2 * y,
  xx: 3 * y,
  xy: 4 * y,
  ...rest,
});
const sums = (y: number) => ({
  y,
  yy: 10 * y,
  d: 0,
  dd: 0,
  yd: 0,
  x: 2 * y,
  xx: 3 * y,
  xy: 4 * y,
});

test("current sums all cohorts and shards; a metric without outcomes has its units and zeros", () => {
  const rows = {
    populations: [population(5), population(3), population(7, { cohortStart: 101 })],
    cells: [cell(1), cell(2), cell(4, { cohortStart: 101 })],
  };
  expect(current(rows, [bought, returned])).toEqual([
    { metric: "bought", variant: "a", dimension: "", value: "", n: 15, sums: sums(7) },
    { metric: "returned", variant: "a", dimension: "", value: "", n: 15, sums: sums(0) },
  ]);
});

test("matured takes a cohort from its end + window + 15 minutes on, a day's cohort from the day's end", () => {
  const rows = {
    populations: [
      population(5),
      population(7, { cohortStart: 101 }),
      population(9, { cohortStart: 96, cohortHours: 24 }),
    ],
    cells: [cell(1), cell(4, { cohortStart: 101 })],
  };
  const n = (asOfMs: number, metric = bought) => matured(rows, [metric], asOfMs).map((a) => a.n);
  const closed = 103 * hour + 15 * 60_000;
  expect(n(closed - 1)).toEqual([]);
  expect(matured(rows, [bought], closed)).toEqual([
    { metric: "bought", variant: "a", dimension: "", value: "", n: 5, sums: sums(1) },
  ]);
  expect(n(closed + hour)).toEqual([12]);
  expect(n(closed + 18 * hour)).toEqual([12]);
  expect(n(closed + 19 * hour)).toEqual([21]);
  expect(n(closed + 46 * hour - 1, returned)).toEqual([]);
  expect(n(closed + 46 * hour, returned)).toEqual([5]);
});

test("of a dimension the 50 values with most units stand apart, the rest are other", () => {
  const at = (i: number) => ({ dimension: "country", value: `c${i}` });
  const rows = {
    populations: Array.from({ length: 60 }, (_, i) => population(100 - i, at(i))),
    cells: Array.from({ length: 60 }, (_, i) => cell(1, at(i))),
  };
  const aggregates = current(rows, [bought]);
  expect(aggregates).toHaveLength(51);
  expect(aggregates.find(({ value }) => value === "c49")?.n).toBe(51);
  expect(aggregates.find(({ value }) => value === "c50")).toBe(undefined);
  expect(aggregates.find(({ value }) => value === "other")).toMatchObject({
    n: 50 + 49 + 48 + 47 + 46 + 45 + 44 + 43 + 42 + 41,
    sums: sums(10),
  });
});

test("a place that everybody has left is gone", () => {
  const populations = [population(1), population(-1), population(2, { variant: "b" })];
  expect(populationsOf({ populations, cells: [] })).toEqual([
    { variant: "b", dimension: "", value: "", n: 2 },
  ]);
});

test("of shards that kept different values, only those kept of all together are whole and shown apart", () => {
  const words = Array.from({ length: 400 }, (_, i) => `word ${i}`);
  const rows = (values: readonly string[], n: number) =>
    values.map((value) => ({
      variant: "control",
      dimension: "country",
      value,
      cohortStart: 0,
      cohortHours: 1,
      n,
    }));
  const kept = new Set(lowestValues(words));
  const [first, second] = [words.slice(0, 250), words.slice(150)];
  const shown = populationsOf({
    populations: [...rows(first, 2), ...rows(second, 1), ...rows(["unknown"], 9)],
    cells: [],
  });
  expect(shown.find(({ value }) => value === "unknown")?.n).toBe(9);
  const apart = shown.filter(({ value }) => value.startsWith("word"));
  expect(apart).toHaveLength(49);
  for (const { value } of apart) expect(kept.has(value)).toBe(true);
  expect(shown.reduce((sum, { n }) => sum + n, 0)).toBe(759);
});
