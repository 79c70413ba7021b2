import { assert, double, integer, pre, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { repeatedConfidenceIntervals } from "./repeated-confidence-intervals.ts";
import { repeatedProportionInterval } from "./repeated-proportion-interval.ts";
import { repeatedPValue, sequentialPValue } from "./sequential-p-value.ts";
import { twoProportionTest } from "./two-proportion-test.ts";

describe("reference vectors", () => {
  test("repeated intervals on the drift scale within 1e-5 (here 1e-10)", () => {
    const figures: Figure[] = [];
    for (const row of vectors.repeated) {
      const { z } = row;
      const intervals = repeatedConfidenceIntervals({ ...referenceDesign(row.design), z });
      const none = z.map(() => null);
      figures.push(
        ...series(`${row.id} estimate`, intervals.estimate, row.estimateDrift),
        ...series(`${row.id} lower`, intervals.lower, row.rciLower),
        ...series(`${row.id} upper`, intervals.upper, row.rciUpper ?? none),
      );
    }
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
  });

  test("repeated and sequential p within 1e-7 (here 1e-10)", () => {
    const figures: Figure[] = [];
    for (const row of vectors.repeated) {
      const p = sequentialPValue({ ...referenceDesign(row.design), z: row.z });
      figures.push(
        ...series(`${row.id} repeated`, p.repeated, row.repeatedP),
        ...series(`${row.id} sequential`, p.sequential, row.sequentialP),
      );
    }
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
  });
});

test("a z on the bound has the design's alpha as its repeated p", () => {
  for (const id of ["o-014", "o-033", "o-052"]) {
    const design = referenceDesign(id);
    design.upper.forEach((z, k) => {
      if (z > 7) return;
      const p = repeatedPValue({
        ...design,
        fractions: design.fractions.slice(0, k + 1),
        spendingTime: design.spendingTime.slice(0, k + 1),
        z,
      });
      expect(p).toBeCloseTo(design.alpha, 8);
    });
  }
});

test("under Haybittle–Peto an interim z above 3 has the smallest level that has a design, one below 3 has none", () => {
  const interim = { fractions: [0.5], sides: 2, spending: "haybittle-peto" } as const;
  expect(repeatedPValue({ ...interim, z: 3.4 })).toBeCloseTo(0.0027, 5);
  expect(repeatedPValue({ ...interim, z: -2.9 })).toBe(1);
  const last = repeatedPValue({ ...interim, fractions: [0.5, 1], z: 1.967294235333031 });
  expect(last).toBeCloseTo(0.05, 9);
});

describe("for proportions, by inverting the pooled score test", () => {
  const variant = record({
    n: integer({ min: 2, max: 5000 }),
    share: double({ min: 0, max: 1, noNaN: true }),
  }).map(({ n, share }) => ({ n, successes: Math.round(n * share) }));

  test('"excludes 0" and "crossed" are one statement', () => {
    assert(
      property(
        variant,
        variant,
        double({ min: 0.5, max: 6, noNaN: true }),
        (control, treatment, bound) => {
          const z = twoProportionTest({ control, treatment }).statistic ?? 0;
          pre(Math.abs(Math.abs(z) - bound) > 1e-9);
          const interval = repeatedProportionInterval({ control, treatment, bound }) ?? [NaN, NaN];
          const excludes = interval[0] > 0 || interval[1] < 0;
          expect(excludes).toBe(Math.abs(z) > bound);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("mirrors when the variants change places, and holds the estimate", () => {
    assert(
      property(
        variant,
        variant,
        double({ min: 0.5, max: 6, noNaN: true }),
        (control, treatment, bound) => {
          const [lower, upper] = repeatedProportionInterval({ control, treatment, bound }) ?? [
            NaN,
            NaN,
          ];
          const swapped = repeatedProportionInterval({
            control: treatment,
            treatment: control,
            bound,
          });
          expect(Math.abs((swapped?.[0] ?? NaN) + upper)).toBeLessThan(1e-7);
          expect(Math.abs((swapped?.[1] ?? NaN) + lower)).toBeLessThan(1e-7);
          const effect = treatment.successes / treatment.n - control.successes / control.n;
          expect(lower).toBeLessThanOrEqual(effect);
          expect(upper).toBeGreaterThanOrEqual(effect);
          expect(lower).toBeGreaterThanOrEqual(-1);
          expect(upper).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("Newcombe's (1998) table II, method 4 (Mee): 56/70 against 48/80 gives 0.0533 to 0.3377", () => {
    const interval = repeatedProportionInterval({
      control: { n: 80, successes: 48 },
      treatment: { n: 70, successes: 56 },
      bound: 1.959963984540054,
    });
    expect(interval?.[0]).toBeCloseTo(0.0533, 4);
    expect(interval?.[1]).toBeCloseTo(0.3377, 4);
  });

  test("no interval without two units in each variant or a finite bound", () => {
    const some = { n: 10, successes: 5 };
    expect(
      repeatedProportionInterval({ control: some, treatment: { n: 1, successes: 1 }, bound: 2 }),
    ).toBeNull();
    expect(
      repeatedProportionInterval({ control: some, treatment: some, bound: Infinity }),
    ).toBeNull();
    expect(() => repeatedProportionInterval({ control: some, treatment: some, bound: 0 })).toThrow(
      /bound/,
    );
  });
});
