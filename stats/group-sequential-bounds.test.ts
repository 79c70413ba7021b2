import { describe, expect, test } from "vitest";
import { exitProbabilities } from "./exit-probabilities.ts";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { sequentialPValue } from "./sequential-p-value.ts";

describe("reference vectors", () => {
  const solved = vectors.bounds.map((record) => ({
    record,
    bounds: groupSequentialBounds(referenceDesign(record.id)),
  }));
  const uppers = solved.flatMap(({ record, bounds }) =>
    series(`${record.id} look`, bounds.upper, record.upper),
  );
  const between = (low: number, high: number): Figure[] =>
    uppers.filter(([, , z]) => z !== null && z >= low && z < high);

  test("bounds below 6 within 1e-6 (here 1e-9), those from 6 to 8 within 1e-4 (here 1e-8)", () => {
    expect(outside(between(-Infinity, 6), { absolute: 1e-9 })).toEqual([]);
    expect(outside(between(6, 8), { absolute: 1e-8 })).toEqual([]);
  });

  test("bounds beyond 8 are infinite: such a look cannot decide", () => {
    const beyond = solved.flatMap(({ record, bounds }) =>
      bounds.upper.filter((_, k) => (record.upper[k] ?? 0) > 8.1),
    );
    expect(beyond.length).toBeGreaterThan(20);
    expect(new Set(beyond)).toEqual(new Set([Infinity]));
  });

  test("lower bounds mirror the upper ones, or are null when one-sided", () => {
    for (const { record, bounds } of solved)
      expect(bounds.lower).toEqual(record.sided === 2 ? bounds.upper.map((z) => -z) : null);
  });

  test("alpha spent, its increments and nominal p within 1e-7 or 1e-6 relative", () => {
    const figures: Figure[] = [];
    for (const { record, bounds } of solved)
      figures.push(
        ...series(`${record.id} spent`, bounds.alphaSpent, record.cumAlpha),
        ...series(`${record.id} increment`, bounds.alphaIncrement, record.alphaIncrement),
        ...series(`${record.id} nominal`, bounds.nominalP, record.nominalP),
      );
    expect(outside(figures, { absolute: 1e-12 })).toEqual([]);
    const decisive = figures.filter(([, , p]) => p !== null && p > 1e-14);
    expect(outside(decisive, { relative: 1e-6 })).toEqual([]);
  });
});

test("Haybittle–Peto never spends more than alpha, however many looks at 3 would", () => {
  const fractions = Array.from({ length: 30 }, (_, k) => (k + 1) / 30);
  const bounds = groupSequentialBounds({
    fractions,
    alpha: 0.005,
    sides: 2,
    spending: "haybittle-peto",
  });
  expect(bounds.upper.slice(0, 2)).toEqual([3, 3]);
  expect(bounds.upper.at(-1)).toBe(Infinity);
  expect(bounds.alphaSpent.at(-1)).toBe(0.005);
  const { total } = exitProbabilities({ fractions, ...bounds, drift: 0 });
  expect(total.reduce((sum, p) => sum + p, 0)).toBeCloseTo(0.005, 12);
});

test("a ledger of 50 looks appends in the same bits, spending time of its own included", () => {
  const fractions = Array.from({ length: 51 }, (_, k) => 0.02 * (k + 1) + 0.003 * Math.sin(k));
  const spendingTime = fractions.map((_, k) => ((k + 1) / 51) ** 2);
  const plan = { alpha: 0.05 / 3, sides: 2, spending: "obrien-fleming" } as const;
  const stored = groupSequentialBounds({
    ...plan,
    fractions: fractions.slice(0, 50),
    spendingTime: spendingTime.slice(0, 50),
  });
  const appended = groupSequentialBounds({ ...plan, fractions, spendingTime });
  expect(appended.upper.slice(0, 50)).toEqual(stored.upper);
  expect(appended.upper[50]).toBeGreaterThan(2);
});

test("a one-sided design has the bounds of its two-sided twin, next to what cannot decide as well", () => {
  const plan = { fractions: [0.077, 1], spending: "obrien-fleming" } as const;
  const one = groupSequentialBounds({ ...plan, alpha: 0.025, sides: 1 });
  const two = groupSequentialBounds({ ...plan, alpha: 0.05, sides: 2 });
  expect(one.upper[0]).toBe(two.upper[0]);
  // mpmath, 40 digits: the z whose upper tail is 2 (1 − Φ(z_0.0125 / √0.077))
  expect(Math.abs((one.upper[0] ?? NaN) - 7.9924668175157176)).toBeLessThan(1e-9);
});

test("Haybittle–Peto without an interim look is the fixed test at any level", () => {
  const plan = { fractions: [1], sides: 2, spending: "haybittle-peto" } as const;
  // SciPy: norm.isf(0.0005)
  const bound = 3.2905267314918945;
  const { upper } = groupSequentialBounds({ ...plan, alpha: 0.001 });
  expect(Math.abs((upper[0] ?? NaN) - bound)).toBeLessThan(1e-12);
  const { repeated } = sequentialPValue({ ...plan, z: [bound] });
  expect(Math.abs((repeated[0] ?? NaN) - 0.001)).toBeLessThan(1e-12);
});
