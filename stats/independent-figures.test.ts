/**
 * Figures computed apart from this code: with mpmath at 40 digits straight from the textbook formulas, and by a dense Gauss–Legendre recursion in
 * NumPy and SciPy for the drift. Options of every method that the reference vectors leave at their defaults.
 */
import { describe, expect, test } from "vitest";
import { asymptoticConfidenceSequence } from "./asymptotic-confidence-sequence.ts";
import { betaBinomialPosterior } from "./beta-binomial-posterior.ts";
import type { Interval } from "./comparison.ts";
import { cuped } from "./cuped.ts";
import { driftForPower, expectedFraction } from "./drift-for-power.ts";
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import { futilityBounds } from "./futility-bounds.ts";
import { minimumDetectableEffect } from "./minimum-detectable-effect.ts";
import { moments } from "./moments.ts";
import { normal } from "./normal.ts";
import { powerMeans } from "./power-means.ts";
import { powerProportions } from "./power-proportions.ts";
import { ratioTest } from "./ratio-test.ts";
import { sampleSizeMeans } from "./sample-size-means.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import { welchTest } from "./welch-test.ts";

const ends = (where: string, actual: Interval | null, lower: number, upper: number): Figure[] => [
  [`${where} lower`, actual?.[0] ?? null, lower],
  [`${where} upper`, actual?.[1] ?? null, upper],
];

describe("three treatments, three times the control each, inflated by 1.1, within 1e-11", () => {
  const design = { alpha: 0.05, allocation: 3, treatments: 3, inflation: 1.1 };
  const rates = { ...design, baseline: 0.04 };

  test("sizes, control and treatments rounded up apart", () => {
    const proportions = sampleSizeProportions({ ...rates, alternative: 0.05, power: 0.9 });
    const means = sampleSizeMeans({
      ...design,
      standardDeviation: 12,
      difference: 1.5,
      power: 0.9,
    });
    expect(proportions).toMatchObject({ control: 8644, treatment: 25_931, total: 86_437 });
    expect(means).toMatchObject({ control: 1269, treatment: 3805, total: 12_684 });
    const figures: Figure[] = [
      ["proportions", proportions.exactControl, 8643.4821908548143],
      ["means", means.exactControl, 1268.0946260944903],
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("power", () => {
    const figures: Figure[] = [
      [
        "proportions",
        powerProportions({ ...rates, alternative: 0.05, control: 4000 }),
        0.52573611883684883,
      ],
      [
        "means",
        powerMeans({ ...design, standardDeviation: 1, difference: 0.45, control: 110 }),
        0.93176734726625844,
      ],
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("minimum detectable effect", () => {
    const figures: Figure[] = [
      [
        "proportion",
        minimumDetectableEffect({ ...rates, power: 0.9, control: 4000 }),
        0.015136495830634733,
      ],
      [
        "mean",
        minimumDetectableEffect({ ...design, standardDeviation: 12, power: 0.9, control: 500 }),
        2.3888126375723162,
      ],
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });
});

describe("intervals at other levels, within 1e-11", () => {
  test("two proportions at 99 %, absolute and relative", () => {
    const result = twoProportionTest({
      control: { n: 1200, successes: 96 },
      treatment: { n: 800, successes: 88 },
      level: 0.99,
    });
    const figures = [
      ...ends("absolute", result.confidenceInterval, -0.0049125449718665702, 0.06491254497186657),
      ...ends(
        "relative",
        result.relativeConfidenceInterval,
        -0.12207221294473867,
        0.87207221294473867,
      ),
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("a ratio at 99 %, absolute and relative", () => {
    const result = ratioTest({
      control: { n: 400, meanY: 3.2, meanX: 5.5, varianceY: 4, varianceX: 6.25, covariance: 3 },
      treatment: { n: 350, meanY: 3.6, meanX: 5.4, varianceY: 4.5, varianceX: 6, covariance: 2.5 },
      level: 0.99,
    });
    const figures = [
      ...ends("absolute", result.confidenceInterval, 0.022148274175672324, 0.14754869552129737),
      ...ends(
        "relative",
        result.relativeConfidenceInterval,
        0.032061499506196633,
        0.25960516716047003,
      ),
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("both posteriors at 90 %", () => {
    const { control, treatment } = betaBinomialPosterior({
      control: { n: 100, successes: 12 },
      treatment: { n: 110, successes: 20 },
      level: 0.9,
    });
    const figures = [
      ...ends("control", control.interval, 0.077843580038678408, 0.18538444831955501),
      ...ends("treatment", treatment.interval, 0.13041556044308199, 0.25095158729719087),
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("both ends of the asymptotic confidence sequence at 90 %", () => {
    const { confidenceInterval } = asymptoticConfidenceSequence({
      estimate: 0.03,
      standardError: 0.01,
      n: 1000,
      plannedN: 2000,
      alpha: 0.1,
    });
    const figures = ends("", confidenceInterval, 0.0018257937113989081, 0.058174206288601092);
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });
});

describe("the relative effect, within 1e-11", () => {
  /** Means with known standard errors: a denominator that does not vary makes the ratio its numerator's mean. */
  const against = (controlMean: number, treatmentMean: number): ReturnType<typeof ratioTest> => {
    const fixed = { meanX: 1, varianceX: 0, covariance: 0 };
    return ratioTest({
      control: { n: 100, meanY: controlMean, varianceY: 1, ...fixed },
      treatment: { n: 150, meanY: treatmentMean, varianceY: 2, ...fixed },
    });
  };

  test("Fieller's interval, the control 3 standard errors above zero and as far below", () => {
    const above = against(0.3, 0.5);
    const below = against(-0.3, 0.2);
    expect([above.relativeMethod, below.relativeMethod]).toEqual(["fieller", "fieller"]);
    const figures = [
      ...ends("above", above.relativeConfidenceInterval, -0.23739775361559185, 4.0529954114085955),
      ...ends("below", below.relativeConfidenceInterval, 0.90998755389706975, 3.4162515092201317),
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("by the delta method over a negative control mean", () => {
    const result = welchTest({
      control: { n: 100, mean: -10, variance: 9 },
      treatment: { n: 150, mean: -8, variance: 16 },
    });
    const figures: Figure[] = [
      ["effect", result.relativeEffect, 0.2],
      ["error", result.relativeStandardError, 0.04052982440952177],
      ...ends("", result.relativeConfidenceInterval, 0.12016787153714708, 0.27983212846285292),
    ];
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });
});

test("z carries the sign of the effect and the p-value of the test", () => {
  const loss = welchTest({
    control: { n: 12, mean: 5, variance: 2 },
    treatment: { n: 9, mean: 3, variance: 3 },
  });
  expect(loss.z).toBeLessThan(0);
  expect(outside([["p", 2 * normal.cdf(loss.z ?? NaN), loss.pValue]], { relative: 1e-12 })).toEqual(
    [],
  );
});

test("the covariate's imbalance is the z of its difference, within 1e-12", () => {
  const outcome = { meanY: 1, varianceY: 1, covariance: 0.5 };
  const { covariateImbalance } = cuped({
    control: { n: 900, meanX: 2, varianceX: 4, ...outcome },
    treatment: { n: 1100, meanX: 2.3, varianceX: 5, ...outcome },
  });
  expect(outside([["z", covariateImbalance, 3.1640537218979358]], { relative: 1e-12 })).toEqual([]);
});

test("futility spends by the given spending time, within 1e-11", () => {
  const { lower, betaSpent } = futilityBounds({
    fractions: [0.5, 1],
    upper: [2.8, 2],
    drift: 3,
    beta: 0.2,
    spending: "pocock",
    spendingTime: [0.2, 1],
  });
  const figures: Figure[] = [
    ["bound", lower[0] ?? null, 0.55876751838491837],
    ["spent", betaSpent[0] ?? null, 0.05907890582406953],
  ];
  expect(outside(figures, { relative: 1e-11 })).toEqual([]);
});

test("the drift and the information of 30 looks at z = 2.9, within 1e-9", () => {
  const fractions = Array.from({ length: 30 }, (_, k) => (k + 1) / 30);
  const looks = { fractions, upper: fractions.map(() => 2.9), lower: null };
  const drift = driftForPower({ ...looks, power: 0.8 });
  const figures: Figure[] = [
    ["drift", drift, 3.5004778173982],
    ["information", expectedFraction({ ...looks, drift }), 0.5990330937442],
  ];
  expect(outside(figures, { relative: 1e-9 })).toEqual([]);
});

test("totals of equal values have no spread, whatever their additions have rounded", () => {
  for (const value of [0.1, 1 / 3, 0.7, 12.34, 100_000.1]) {
    let sum = 0;
    let sumOfSquares = 0;
    for (let i = 0; i < 100; i++) {
      sum += value;
      sumOfSquares += value * value;
    }
    expect(moments.fromSums({ n: 100, sum, sumOfSquares }).m2).toBe(0);
  }
});
