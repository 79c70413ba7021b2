import { array, assert, constantFrom, double, integer, oneof, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { alwaysValidTest } from "./always-valid-test.ts";
import { asymptoticConfidenceSequence } from "./asymptotic-confidence-sequence.ts";
import { chiSquareTest } from "./chi-square-test.ts";
import { NO_COMPARISON } from "./comparison.ts";
import { cuped } from "./cuped.ts";
import { moments } from "./moments.ts";
import { normal } from "./normal.ts";
import { normalPosterior } from "./normal-posterior.ts";
import { pairedMoments } from "./paired-moments.ts";
import { ratioTest } from "./ratio-test.ts";
import { sampleRatioTest } from "./sample-ratio-test.ts";
import { sequentialSampleRatioTest } from "./sequential-sample-ratio-test.ts";
import { studentT } from "./student-t.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import { welchTest } from "./welch-test.ts";

/** Every number inside a result, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(numbersIn);
}

const notFinite = (value: unknown): number[] =>
  numbersIn(value).filter((number) => !Number.isFinite(number));

const againstControlOf = (mean: number): ReturnType<typeof welchTest> =>
  welchTest({
    control: { n: 100, mean, variance: 1 },
    treatment: { n: 100, mean: 1, variance: 1 },
  });

describe("the house answer: null for what cannot be computed", () => {
  const some = { n: 100, successes: 10 };

  test("an empty variant leaves everything null", () => {
    expect(twoProportionTest({ control: { n: 0, successes: 0 }, treatment: some })).toEqual(
      NO_COMPARISON,
    );
    expect(chiSquareTest({ control: some, treatment: { n: 0, successes: 0 } })).toEqual(
      NO_COMPARISON,
    );
    const empty = moments.summary(moments.empty);
    expect(welchTest({ control: empty, treatment: { n: 5, mean: 1, variance: 1 } })).toEqual(
      NO_COMPARISON,
    );
    const pair = pairedMoments.summary(pairedMoments.empty);
    expect(ratioTest({ control: pair, treatment: pair })).toEqual(NO_COMPARISON);
    expect(cuped({ control: pair, treatment: pair })).toMatchObject(NO_COMPARISON);
  });

  test("fewer than two units leave only the effect", () => {
    const result = welchTest({
      control: { n: 1, mean: 4, variance: 0 },
      treatment: { n: 50, mean: 5, variance: 2 },
    });
    expect(result).toEqual({ ...NO_COMPARISON, effect: 1, relativeEffect: 0.25 });
  });

  test("zero variance leaves only the effect: neither p = 0 nor p = 1", () => {
    const result = welchTest({
      control: { n: 50, mean: 4, variance: 0 },
      treatment: { n: 50, mean: 5, variance: 0 },
    });
    expect(result).toEqual({ ...NO_COMPARISON, effect: 1, relativeEffect: 0.25 });
  });

  test("zero conversions on both sides leave only the effect of zero", () => {
    const none = { n: 100, successes: 0 };
    expect(twoProportionTest({ control: none, treatment: none })).toEqual({
      ...NO_COMPARISON,
      effect: 0,
    });
  });

  test("zero conversions in the control: a test and an interval, nothing relative", () => {
    const result = twoProportionTest({ control: { n: 100, successes: 0 }, treatment: some });
    expect(result.pValue).toBeLessThan(0.01);
    expect(result.confidenceInterval).not.toBeNull();
    expect(result).toMatchObject({ relativeEffect: null, relativeConfidenceInterval: null });
  });

  test("none against all: a test, but no error to make an interval from", () => {
    const result = twoProportionTest({
      control: { n: 10, successes: 0 },
      treatment: { n: 10, successes: 10 },
    });
    expect(result.pValue).toBeLessThan(1e-4);
    expect(result).toMatchObject({ effect: 1, standardError: null, confidenceInterval: null });
  });

  test("a control mean of zero has no relative effect; one near zero has Fieller's interval or none", () => {
    expect(againstControlOf(0).relativeEffect).toBeNull();
    expect(againstControlOf(0.05)).toMatchObject({
      relativeMethod: null,
      relativeConfidenceInterval: null,
    });
    expect(againstControlOf(0.3).relativeMethod).toBe("fieller");
    expect(againstControlOf(0.5).relativeMethod).toBe("delta");
  });

  test("a treatment of mean and variance 0 is −100 % without an error: what is left of it is rounding", () => {
    const withoutError = {
      relativeEffect: -1,
      relativeStandardError: null,
      relativeConfidenceInterval: null,
      relativeMethod: null,
    };
    for (const successes of [1, 2, 5, 7, 19, 41])
      expect(
        twoProportionTest({ control: { n: 57, successes }, treatment: { n: 57, successes: 0 } }),
      ).toMatchObject(withoutError);
    for (const mean of [0.1, 0.7, 3, 1e5])
      expect(
        welchTest({
          control: { n: 57, mean, variance: 0.3 },
          treatment: { n: 31, mean: 0, variance: 0 },
        }),
      ).toMatchObject(withoutError);
    const control = { n: 57, meanY: 0.7, meanX: 3, varianceY: 0.3, varianceX: 1, covariance: 0.2 };
    const treatment = { ...control, meanY: 0, varianceY: 0, covariance: 0 };
    expect(ratioTest({ control, treatment })).toMatchObject(withoutError);
  });

  test("a ratio whose denominator is near zero has no result", () => {
    const near = { n: 100, meanY: 1, meanX: 0.1, varianceY: 1, varianceX: 1, covariance: 0 };
    expect(ratioTest({ control: near, treatment: near })).toEqual(NO_COMPARISON);
  });

  test("no units, or one variant alone, have no sample ratio; the evidence is then 0", () => {
    expect(sampleRatioTest({ observed: [0, 0], weights: [1, 1] })).toMatchObject({
      statistic: null,
      pValue: null,
    });
    expect(sampleRatioTest({ observed: [5], weights: [1] }).pValue).toBeNull();
    expect(sequentialSampleRatioTest({ observed: [0, 0], weights: [1, 1] }).pValue).toBe(1);
  });

  test("a variant of weight 0 is left out with its units", () => {
    const without = sampleRatioTest({ observed: [520, 480], weights: [50, 50] });
    const withHoldout = sampleRatioTest({ observed: [520, 480, 77], weights: [50, 50, 0] });
    expect(withHoldout.pValue).toBe(without.pValue);
    expect(withHoldout.expected).toEqual([500, 500, 0]);
  });
});

describe("whatever the data, no field is NaN or infinite", () => {
  const count = oneof(constantFrom(0, 1, 2, 3), integer({ min: 0, max: 5_000_000 }));
  const proportion = tuple(count, double({ min: 0, max: 1, noNaN: true })).map(([n, share]) => ({
    n,
    successes: Math.round(n * share),
  }));
  const size = oneof(
    constantFrom(0, 1e-300, 1e-12, 1, 1e9),
    double({ min: 0, max: 1e6, noNaN: true }),
  );
  const mean = oneof(
    constantFrom(0, 1e-300, 1e12, -1),
    double({ min: -1e6, max: 1e6, noNaN: true }),
  );
  const pair = tuple(count, mean, mean, size, size, double({ min: -1, max: 1, noNaN: true })).map(
    ([n, meanY, meanX, varianceY, varianceX, correlation]) => ({
      n,
      meanY,
      meanX,
      varianceY,
      varianceX,
      covariance: correlation * (Math.sqrt(varianceY) * Math.sqrt(varianceX)),
    }),
  );

  test("two proportions", () => {
    assert(
      property(proportion, proportion, (control, treatment) => {
        expect(notFinite(twoProportionTest({ control, treatment }))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test("Welch, ratio and CUPED", () => {
    assert(
      property(pair, pair, (control, treatment) => {
        const single = (p: typeof control): { n: number; mean: number; variance: number } => ({
          n: p.n,
          mean: p.meanY,
          variance: p.varianceY,
        });
        const results = [
          welchTest({ control: single(control), treatment: single(treatment) }),
          ratioTest({ control, treatment }),
          cuped({ control, treatment }),
        ];
        expect(notFinite(results)).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  test("moments of totals that rounding has spoilt", () => {
    assert(
      property(count, mean, size, (n, average, noise) => {
        const sum = n * average;
        const totals = {
          n,
          sum,
          sumOfSquares: n * average * average * (1 - 1e-16) + noise * 1e-16,
        };
        const summary = moments.summary(moments.fromSums(totals));
        expect(notFinite(summary)).toEqual([]);
        expect(summary.variance).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("a pair of totals that rounding has spoilt is tested, not refused", () => {
    assert(
      property(count, mean, mean, size, size, (n, y, x, noiseY, noiseX) => {
        const totals = {
          n,
          sumY: n * y,
          sumOfSquaresY: n * y * y + noiseY,
          sumX: n * x,
          sumOfSquaresX: n * x * x + noiseX,
          sumOfProducts: n * x * y * (1 + 1e-12) + noiseX - noiseY,
        };
        const summary = pairedMoments.summary(pairedMoments.fromSums(totals));
        const data = { control: summary, treatment: summary };
        expect(notFinite([cuped(data), ratioTest(data)])).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test("a relative interval whose ends are beyond the largest double is none", () => {
    const summary = {
      n: 3,
      meanY: -1,
      meanX: 7.458340731200208e-155,
      varianceY: 0.5,
      varianceX: 0,
      covariance: 0,
    };
    const { relativeConfidenceInterval, relativeMethod } = ratioTest({
      control: summary,
      treatment: summary,
    });
    expect({ relativeConfidenceInterval, relativeMethod }).toEqual({
      relativeConfidenceInterval: null,
      relativeMethod: null,
    });
  });

  test("posteriors and confidence sequences at extreme scales", () => {
    const scales = [1e-320, 1e-200, 1e-10, 1, 1e10, 1e200, 1e307];
    for (const estimate of [0, 1, -1e307, 1e-320])
      for (const standardError of scales)
        for (const scale of scales) {
          const prior = { mean: 0, standardDeviation: scale };
          const planned = { plannedN: Math.max(1, scale), n: 100, alpha: 0.05 };
          expect(
            notFinite([
              normalPosterior({ estimate, standardError, prior }),
              asymptoticConfidenceSequence({ estimate, standardError, ...planned }),
            ]),
          ).toEqual([]);
        }
  });

  test("Student's t with as many degrees of freedom as a double holds is normal", () => {
    for (const df of [1e19, 1e100, 1e300]) {
      expect(studentT.sf(2, df)).toBe(normal.sf(2));
      expect(studentT.quantile(0.025, df)).toBe(normal.quantile(0.025));
    }
  });

  test("the always-valid test and the evidence of a sample ratio", () => {
    assert(
      property(
        mean,
        size,
        array(count, { minLength: 2, maxLength: 5 }),
        (effect, standardError, observed) => {
          const reading = alwaysValidTest({
            effect,
            standardError,
            mixingVariance: 1,
            alpha: 0.05,
          });
          const weights = observed.map((_, i) => i + 1);
          expect(notFinite([reading, sequentialSampleRatioTest({ observed, weights })])).toEqual(
            [],
          );
        },
      ),
    );
  });
});
