import { describe, expect, test } from "vitest";
import { cuped, cupedTheta } from "./cuped.ts";
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { pairedMoments } from "./paired-moments.ts";
import type { PairedSummary } from "./paired-moments.ts";
import { welchTest } from "./welch-test.ts";

const summarise = (y: readonly number[], x: readonly number[]): PairedSummary =>
  pairedMoments.summary(pairedMoments.from(y.map((value, i) => [value, x[i] ?? NaN])));

describe("reference vectors, within 1e-11", () => {
  const records = vectors.cuped.map((record) => ({
    record,
    control: summarise(record.yA, record.xA),
    treatment: summarise(record.yB, record.xB),
  }));

  test("one theta from both variants together", () => {
    const figures = records.flatMap(
      ({ record: { pooledTotal }, control, treatment }, i): Figure[] => {
        const result = cuped({ control, treatment });
        return [
          [`${i} theta`, result.theta, pooledTotal.theta],
          [`${i} effect`, result.effect, pooledTotal.diff],
          [`${i} se`, result.standardError, pooledTotal.se],
          [`${i} t`, result.statistic, pooledTotal.t],
          [`${i} df`, result.degreesOfFreedom, pooledTotal.df],
          [`${i} p`, result.pValue, pooledTotal.p],
        ];
      },
    );
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("a theta that is given, such as the one within variants", () => {
    const figures = records.flatMap(
      ({ record: { pooledWithin }, control, treatment }, i): Figure[] => {
        const result = cuped({ control, treatment, theta: pooledWithin.theta });
        return [
          [`${i} effect`, result.effect, pooledWithin.diff],
          [`${i} se`, result.standardError, pooledWithin.se],
          [`${i} t`, result.statistic, pooledWithin.t],
          [`${i} df`, result.degreesOfFreedom, pooledWithin.df],
          [`${i} p`, result.pValue, pooledWithin.p],
        ];
      },
    );
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("theta of each variant alone, and the unadjusted test at theta 0", () => {
    const figures = records.flatMap(({ record, control, treatment }, i): Figure[] => {
      const plain = cuped({ control, treatment, theta: 0 });
      return [
        [`${i} theta A`, cupedTheta([control]), record.thetaArmA],
        [`${i} theta B`, cupedTheta([treatment]), record.thetaArmB],
        [`${i} effect`, plain.effect, record.unadjusted.diff],
        [`${i} se`, plain.standardError, record.unadjusted.se],
      ];
    });
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });
});

test("a covariate that does not vary leaves Welch's test as it is", () => {
  const flat = { meanX: 3, varianceX: 0, covariance: 0 };
  const control = { n: 40, meanY: 10, varianceY: 4, ...flat };
  const treatment = { n: 50, meanY: 11, varianceY: 5, ...flat };
  const { theta, varianceReduction, covariateImbalance, ...rest } = cuped({ control, treatment });
  expect({ theta, varianceReduction, covariateImbalance }).toEqual({
    theta: null,
    varianceReduction: 0,
    covariateImbalance: null,
  });
  expect(rest).toEqual(
    welchTest({
      control: { n: 40, mean: 10, variance: 4 },
      treatment: { n: 50, mean: 11, variance: 5 },
    }),
  );
});

test("variance reduction is the squared correlation when the variants agree", () => {
  const variant = { n: 1000, meanY: 5, meanX: 2, varianceY: 9, varianceX: 4, covariance: 0.6 * 6 };
  expect(cuped({ control: variant, treatment: variant }).varianceReduction).toBeCloseTo(0.36, 12);
});

test("a covariance that its variances do not allow is refused by name", () => {
  const variant = { n: 10, meanY: 0, meanX: 0, varianceY: 1, varianceX: 1, covariance: 1.1 };
  expect(() => cuped({ control: variant, treatment: variant })).toThrow(/covariance/);
});
