/**
 * Uniformity and independence of the assignment over a million units. Every statistic is held to the 0.999 quantile
 * of its χ² distribution; the salts are fixed, so that a test that passes once always passes.
 */
import { describe, expect, test } from "vitest";
import { bucket, compile, evaluate } from "./index.ts";
import type { Experiment, Flag } from "./index.ts";

const UNITS = 1_000_000;

/** 0.999 quantiles of χ², by degrees of freedom (tables in any textbook; 9999 from the incomplete gamma function). */
const CRITICAL = { 1: 10.828, 2: 13.816, 81: 126.083, 9999: 10_441.709 };

const known = new Map<string, Uint16Array>();

/** The bucket of every unit under a salt; hashed once. */
function buckets(salt: string): Uint16Array {
  const already = known.get(salt);
  if (already !== undefined) return already;
  const all = Uint16Array.from({ length: UNITS }, (_, i) => bucket(salt, `user-${i}`));
  known.set(salt, all);
  return all;
}

function chiSquare(observed: ArrayLike<number>, expected: (cell: number) => number): number {
  let statistic = 0;
  for (let i = 0; i < observed.length; i++) {
    statistic += ((observed[i] ?? 0) - expected(i)) ** 2 / expected(i);
  }
  return statistic;
}

/** χ² of a table of the tenths into which each of two salts puts the units; 81 degrees of freedom. */
function dependence(oneSalt: string, otherSalt: string): number {
  const table = new Float64Array(100);
  const rows = new Float64Array(10);
  const columns = new Float64Array(10);
  const other = buckets(otherSalt);
  for (const [i, one] of buckets(oneSalt).entries()) {
    const row = Math.floor(one / 1000);
    const column = Math.floor((other[i] ?? 0) / 1000);
    table[row * 10 + column] = (table[row * 10 + column] ?? 0) + 1;
    rows[row] = (rows[row] ?? 0) + 1;
    columns[column] = (columns[column] ?? 0) + 1;
  }
  return chiSquare(
    table,
    (cell) => ((rows[Math.floor(cell / 10)] ?? 0) * (columns[cell % 10] ?? 0)) / UNITS,
  );
}

test.each(["experiment-1", "experiment-2", "layer-1", "layer-2", "f:rollout"])(
  "the units of %s are uniform over all 10,000 buckets",
  (salt) => {
    const counts = new Float64Array(10_000);
    for (const at of buckets(salt)) counts[at] = (counts[at] ?? 0) + 1;
    expect(chiSquare(counts, () => UNITS / 10_000)).toBeLessThan(CRITICAL[9999]);
  },
);

test.each([
  ["two experiments", "experiment-1", "experiment-2"],
  ["two layers", "layer-1", "layer-2"],
  ["layer 1 and layer 2 of an experiment", "layer-1", "experiment-1"],
  ["a split and its rollout", "f", "f:rollout"],
  ["a holdout and a layer", "holdout-1", "layer-1"],
])("%s are independent of each other", (_, one, other) => {
  expect(dependence(one, other)).toBeLessThan(CRITICAL[81]);
});

test("a salt is not independent of itself, so that the test above can fail", () => {
  expect(dependence("layer-1", "layer-1")).toBeGreaterThan(UNITS);
});

describe("through evaluate", () => {
  const shares = [
    { variant: "a", weightBasisPoints: 2000 },
    { variant: "b", weightBasisPoints: 3000 },
    { variant: "c", weightBasisPoints: 5000 },
  ];
  const experiment: Experiment = {
    key: "x",
    hashVersion: 1,
    phase: 1,
    salt: "experiment-1",
    unit: "targetingKey",
    control: "a",
    variants: shares,
    layer: "l",
    layerSalt: "layer-1",
    slots: [
      [1000, 3000],
      [9000, 9500],
    ],
  };
  const flag: Flag = {
    key: "x",
    type: "string",
    variants: shares.map(({ variant }) => ({ key: variant, value: variant })),
    defaultVariant: "a",
    enabled: true,
    salt: "f",
    rules: [{ experiment: "x" }],
  };
  const compiled = compile({
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags: [flag],
    experiments: [experiment],
    holdouts: [],
    segments: [],
  });
  const counts = new Map<string, number>();
  for (let i = 0; i < UNITS; i++) {
    const { exposure } = evaluate(compiled, "x", { targetingKey: `user-${i}` });
    const variant = exposure?.variant ?? "none";
    counts.set(variant, (counts.get(variant) ?? 0) + 1);
  }

  test("traffic is as wide as the slots", () => {
    const none = counts.get("none") ?? 0;
    const expected = [7500, 2500].map((points) => (UNITS * points) / 10_000);
    expect(chiSquare([none, UNITS - none], (i) => expected[i] ?? 0)).toBeLessThan(CRITICAL[1]);
  });

  test("variants are as frequent as their weights among the units in traffic", () => {
    const inTraffic = UNITS - (counts.get("none") ?? 0);
    const observed = shares.map(({ variant }) => counts.get(variant) ?? 0);
    const expected = shares.map((share) => (inTraffic * share.weightBasisPoints) / 10_000);
    expect(chiSquare(observed, (i) => expected[i] ?? 0)).toBeLessThan(CRITICAL[2]);
  });
});
