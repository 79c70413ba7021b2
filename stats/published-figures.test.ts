import { describe, expect, test } from "vitest";
import { classicalBounds } from "./classical-bounds.ts";
import { designGroupSequential } from "./design-group-sequential.ts";
import { dunnettCriticalValue } from "./dunnett.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { normal } from "./normal.ts";
import { sampleRatioTest } from "./sample-ratio-test.ts";
import { sampleSizeMeans } from "./sample-size-means.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";
import { studentT } from "./student-t.ts";

const equal = (looks: number): number[] => Array.from({ length: looks }, (_, k) => (k + 1) / looks);
const rounded = (values: readonly number[], digits: number): number[] =>
  values.map((value) => Number(value.toFixed(digits)));

describe("bounds of five equal looks, alpha 0.05 two-sided", () => {
  const plan = { fractions: equal(5), alpha: 0.05, sides: 2 } as const;

  test("O'Brien–Fleming (Jennison & Turnbull 2000, table 2.3): 2.040 and 4.562 3.226 2.634 2.281 2.040", () => {
    const { constant, upper } = classicalBounds({ ...plan, type: "obrien-fleming" });
    expect(constant.toFixed(3)).toBe("2.040");
    expect(rounded(upper, 3)).toEqual([4.562, 3.226, 2.634, 2.281, 2.04]);
  });

  test("Pocock (Jennison & Turnbull 2000, table 2.1): 2.413", () => {
    const { upper } = classicalBounds({ ...plan, type: "pocock" });
    expect(rounded(upper, 3)).toEqual([2.413, 2.413, 2.413, 2.413, 2.413]);
  });

  test("Lan–DeMets O'Brien–Fleming spending (gsDesign, rpact, ldbounds): 4.877 3.357 2.680 2.290 2.031", () => {
    const { upper } = groupSequentialBounds({ ...plan, spending: "obrien-fleming" });
    expect(rounded(upper, 3)).toEqual([4.877, 3.357, 2.68, 2.29, 2.031]);
  });

  test("not the look-alike that spends 2(1 − Φ(z/√t)) of the two-sided total: 4.383 3.100 2.553 2.254 2.064", () => {
    const { upper } = groupSequentialBounds({ ...plan, spending: "obrien-fleming" });
    expect(upper[0]).toBeGreaterThan(4.8);
    expect(upper[4]).toBeLessThan(2.05);
  });

  test("inflation 1.0247 at 80 % power under Lan–DeMets O'Brien–Fleming", () => {
    const design = designGroupSequential({ ...plan, spending: "obrien-fleming", power: 0.8 });
    expect(design.inflationFactor).toBeCloseTo(1.0247, 4);
  });
});

test("Pocock's constants at alpha 0.05 two-sided for 2, 3, 4, 10 looks: 2.178 2.289 2.361 2.555", () => {
  const constants = [2, 3, 4, 10].map(
    (looks) =>
      classicalBounds({ type: "pocock", fractions: equal(looks), alpha: 0.05, sides: 2 }).constant,
  );
  expect(rounded(constants, 3)).toEqual([2.178, 2.289, 2.361, 2.555]);
});

test("O'Brien–Fleming inflation 1.038, 1.049, 1.055 and last bounds 2.081, 2.140, 2.185 at 10, 28, 100 looks", () => {
  const designs = [10, 28, 100].map((looks) =>
    designGroupSequential({
      fractions: equal(looks),
      alpha: 0.05,
      sides: 2,
      spending: "obrien-fleming",
      power: 0.8,
    }),
  );
  expect(
    rounded(
      designs.map((design) => design.inflationFactor),
      3,
    ),
  ).toEqual([1.038, 1.049, 1.055]);
  expect(
    rounded(
      designs.map((design) => design.upper.at(-1) ?? NaN),
      3,
    ),
  ).toEqual([2.081, 2.14, 2.185]);
});

test("χ² of 1,002,000 against 987,000 is 113.12, p = 2.03e-26", () => {
  const { statistic, pValue } = sampleRatioTest({
    observed: [1_002_000, 987_000],
    weights: [1, 1],
  });
  expect(statistic?.toFixed(2)).toBe("113.12");
  expect(pValue?.toExponential(2)).toBe("2.03e-26");
});

test("5 % to 5.5 % at 80 % power: 31,234 units a variant, and not the folklore's 72,000", () => {
  const design = { baseline: 0.05, alternative: 0.055, alpha: 0.05, power: 0.8 };
  expect(sampleSizeProportions(design)).toMatchObject({
    control: 31_234,
    treatment: 31_234,
    total: 62_468,
  });
});

test("σ = 50 and a difference of 2: 9,811.10 units a variant by the normal formula", () => {
  const size = sampleSizeMeans({ standardDeviation: 50, difference: 2, alpha: 0.05, power: 0.8 });
  expect(size.exactControl.toFixed(2)).toBe("9811.10");
  expect(size.control).toBe(9812);
});

test("Dunnett at alpha 0.05 for 2, 3, 4 treatments: 2.212 2.349 2.442, below Bonferroni's 2.241 2.394 2.498", () => {
  const dunnett = [2, 3, 4].map((treatments) => dunnettCriticalValue({ treatments, alpha: 0.05 }));
  expect(rounded(dunnett, 3)).toEqual([2.212, 2.349, 2.442]);
  const bonferroni = [2, 3, 4].map((treatments) => -normal.quantile(0.025 / treatments));
  expect(rounded(bonferroni, 3)).toEqual([2.241, 2.394, 2.498]);
});

test("Student's table: t(0.975) is 12.706, 2.571, 2.086, 1.960 at 1, 5, 20, a million degrees of freedom", () => {
  const t = [1, 5, 20, 1e6].map((df) => studentT.quantile(0.975, df));
  expect(rounded(t, 3)).toEqual([12.706, 2.571, 2.086, 1.96]);
});
