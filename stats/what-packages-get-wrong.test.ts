import { describe, expect, test } from "vitest";
import { alwaysValidTest } from "./always-valid-test.ts";
import { cuped } from "./cuped.ts";
import { exitProbabilities } from "./exit-probabilities.ts";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import { uniforms } from "./fixtures/uniforms.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { moments } from "./moments.ts";
import { normal } from "./normal.ts";
import { sampleRatioTest } from "./sample-ratio-test.ts";
import { sequentialSampleRatioTest } from "./sequential-sample-ratio-test.ts";
import { stagewiseInference } from "./stagewise-inference.ts";
import { studentT } from "./student-t.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import { welchTest } from "./welch-test.ts";

const sum = (values: readonly number[]): number => values.reduce((total, p) => total + p, 0);

describe("clustered looks (t = .300, .301, .302)", () => {
  const { upper, ...plan } = referenceDesign("o-048");
  const bounds = groupSequentialBounds(plan);

  test("the third bound is 3.45, not a package's 1.92", () => {
    expect(plan.fractions.slice(0, 3)).toEqual([0.3, 0.301, 0.302]);
    expect(outside(series("look", bounds.upper, upper), { absolute: 1e-9 })).toEqual([]);
    expect(bounds.upper[2]?.toFixed(2)).toBe("3.45");
  });

  test("each look spends its share: total error is the nominal 0.10, not 0.149", () => {
    const exits = exitProbabilities({ ...plan, ...bounds, drift: 0 });
    expect(Math.abs(sum(exits.total) - 0.1)).toBeLessThan(1e-13);
    const wrong = [
      3.39295135467348, 3.43826871091733, 1.92276664386736, 2.03731929889182, 1.80788092938019,
      1.6709701262298,
    ];
    const erring = exitProbabilities({
      ...plan,
      upper: wrong,
      lower: wrong.map((z) => -z),
      drift: 0,
    });
    expect(sum(erring.total)).toBeCloseTo(0.149, 3);
  });
});

describe("overrun (more information at the end than planned)", () => {
  const planned = {
    fractions: [0.25, 0.5, 0.75, 1],
    alpha: 0.05,
    sides: 2,
    spending: "obrien-fleming",
  } as const;

  test("earlier bounds stay, the last look spends the rest at its actual information", () => {
    const before = groupSequentialBounds(planned);
    const after = groupSequentialBounds({ ...planned, fractions: [0.25, 0.5, 0.75, 1.4] });
    expect(after.upper.slice(0, 3)).toEqual(before.upper.slice(0, 3));
    expect(after.upper[3]).not.toBe(before.upper[3]);
    const exits = exitProbabilities({ fractions: [0.25, 0.5, 0.75, 1.4], ...after, drift: 0 });
    expect(sum(exits.total)).toBeCloseTo(0.05, 12);
  });

  test("rescaling earlier fractions by the new size and spending again errs in more than 7 % of cases", () => {
    // Look 4 ends the plan; five further looks each rescale the past to their own size and solve anew.
    const fractions = [0.25, 0.5, 0.75, 1];
    const upper = groupSequentialBounds(planned).upper.slice();
    for (let extra = 1; extra <= 5; extra++) {
      const last = 1 + 0.1 * extra;
      fractions.push(last);
      const rescaled = fractions.map((fraction) => fraction / last);
      upper.push(groupSequentialBounds({ ...planned, fractions: rescaled }).upper.at(-1) ?? NaN);
    }
    const lower = upper.map((bound) => -bound);
    const error = sum(exitProbabilities({ fractions, upper, lower, drift: 0 }).total);
    expect(error).toBeGreaterThan(0.07);
  });

  test("after all alpha is spent no look can decide", () => {
    const { upper, alphaIncrement } = groupSequentialBounds({
      ...planned,
      fractions: [0.5, 1, 1.2, 1.5],
    });
    expect(upper.slice(2)).toEqual([Infinity, Infinity]);
    expect(alphaIncrement.slice(2)).toEqual([0, 0]);
  });
});

describe("stage-wise inference", () => {
  const fractions = [0.3, 0.6, 1];
  const bounds = groupSequentialBounds({ fractions, alpha: 0.05, sides: 2, spending: "pocock" });

  const at = (z: number): ReturnType<typeof stagewiseInference> =>
    stagewiseInference({ fractions, ...bounds, stopLook: 2, z, level: 0.95 });

  test("is mirror symmetric in the sign of z", () => {
    expect(at(-2.9).pValue).toBeCloseTo(at(2.9).pValue, 14);
    expect(at(-2.9).confidenceInterval[0]).toBeCloseTo(-at(2.9).confidenceInterval[1], 9);
  });

  test("a stop at look 1 has the interval of a fixed test: estimate ± z(0.975)", () => {
    const { confidenceInterval } = stagewiseInference({
      fractions,
      ...bounds,
      stopLook: 1,
      z: 2.6,
      level: 0.95,
    });
    const half = normal.quantile(0.975);
    expect(confidenceInterval[0]).toBeCloseTo((2.6 - half) / Math.sqrt(0.3), 9);
    expect(confidenceInterval[1]).toBeCloseTo((2.6 + half) / Math.sqrt(0.3), 9);
  });
});

test("90/10 splits with few events: at z = 3.93 the unpooled tail is over 5 times nominal, the pooled one about twice", () => {
  // 100 events expected in the small arm of 10,000 at 1 %; exact one-sided errors by summing both binomials.
  const small = 10_000;
  const large = 90_000;
  const rate = 0.01;
  const logTerm = (n: number, k: number, previous: number): number =>
    previous + Math.log((n - k + 1) / k) + Math.log(rate / (1 - rate));
  const spread = (n: number, width: number): [k: number, p: number][] => {
    const mean = n * rate;
    const terms: [number, number][] = [];
    let log = n * Math.log1p(-rate);
    for (let k = 0; k <= mean + width; k++) {
      if (k > 0) log = logTerm(n, k, log);
      if (k >= mean - width) terms.push([k, Math.exp(log)]);
    }
    return terms;
  };
  const inSmall = spread(small, 90);
  const inLarge = spread(large, 220);
  const critical = 3.93;
  const tails = { pooledBelow: 0, pooledAbove: 0, unpooledBelow: 0, unpooledAbove: 0 };
  for (const [x, p] of inSmall)
    for (const [y, q] of inLarge) {
      const { statistic, effect, standardError } = twoProportionTest({
        control: { n: large, successes: y },
        treatment: { n: small, successes: x },
      });
      const unpooled = (effect ?? 0) / (standardError ?? 1);
      if ((statistic ?? 0) <= -critical) tails.pooledBelow += p * q;
      if ((statistic ?? 0) >= critical) tails.pooledAbove += p * q;
      if (unpooled <= -critical) tails.unpooledBelow += p * q;
      if (unpooled >= critical) tails.unpooledAbove += p * q;
    }
  const nominal = normal.sf(critical);
  const unpooled = Math.max(tails.unpooledBelow, tails.unpooledAbove) / nominal;
  const pooled = Math.max(tails.pooledBelow, tails.pooledAbove) / nominal;
  expect(unpooled).toBeGreaterThan(5);
  expect(pooled).toBeLessThan(2.1);
});

describe("sample ratio re-checked 700 times while 10,000 units arrive", () => {
  const experiments = 400;
  const checks = 700;
  const perCheck = 15;
  const random = uniforms(20_261_101);
  let chiSquareAlarms = 0;
  let evidenceAlarms = 0;
  for (let experiment = 0; experiment < experiments; experiment++) {
    let first = 0;
    let n = 0;
    let byChiSquare = false;
    let byEvidence = false;
    for (let check = 0; check < checks; check++) {
      for (let unit = 0; unit < perCheck; unit++) if (random() < 0.5) first++;
      n += perCheck;
      const data = { observed: [first, n - first], weights: [50, 50] };
      byChiSquare ||= (sampleRatioTest(data).pValue ?? 1) < 0.01;
      byEvidence ||= sequentialSampleRatioTest(data).logEvidence >= Math.log(100);
    }
    if (byChiSquare) chiSquareAlarms++;
    if (byEvidence) evidenceAlarms++;
  }

  test("seed 20261101: chi-square at 0.01 alarms in far more than 1 % of sound experiments", () => {
    expect(chiSquareAlarms / experiments).toBeGreaterThan(0.05);
  });

  test("seed 20261101: the e-process keeps to its 1 %", () => {
    const error = Math.sqrt((0.01 * 0.99) / experiments);
    expect(evidenceAlarms / experiments).toBeLessThan(0.01 + 3 * error);
  });
});

test("a mixing variance that follows the data is no martingale; one fixed before it is", () => {
  // E[likelihood ratio] at a fixed variance is 1 under no effect; with τ² = max(estimate², …) it exceeds 1.
  const standardError = 0.1;
  let fixed = 0;
  let chasing = 0;
  const points = 4000;
  for (let i = 0; i < points; i++) {
    const effect = standardError * normal.quantile((i + 0.5) / points);
    const ratio = (mixingVariance: number): number =>
      Math.exp(
        alwaysValidTest({ effect, standardError, mixingVariance, alpha: 0.05 })
          .logLikelihoodRatio ?? NaN,
      );
    fixed += ratio(0.5 * standardError ** 2) / points;
    chasing += ratio(Math.max(effect ** 2, 1e-4)) / points;
  }
  expect(fixed).toBeCloseTo(1, 2);
  expect(chasing).toBeGreaterThan(1.1);
});

test("relative CUPED: the variance knows the control mean's covariance, found by simulation (seed 7)", () => {
  const random = uniforms(7);
  const gauss = (): number => normal.quantile(random());
  const n = 400;
  const replicates = 3000;
  let covered = 0;
  for (let replicate = 0; replicate < replicates; replicate++) {
    const variant = (lift: number): Parameters<typeof cuped>[0]["control"] => {
      // Means of n units with y = x + noise, drawn as sums: the moments are sufficient.
      const error = 1 / Math.sqrt(n);
      const meanX = gauss() * error;
      const meanY = 5 * (1 + lift) + meanX + 0.5 * gauss() * error;
      return { n, meanX, meanY, varianceX: 1, varianceY: 1.25, covariance: 1 };
    };
    const interval = cuped({
      control: variant(0),
      treatment: variant(0.3),
    }).relativeConfidenceInterval;
    if (interval && interval[0] <= 0.3 && 0.3 <= interval[1]) covered++;
  }
  expect(Math.abs(covered / replicates - 0.95)).toBeLessThan(
    3 * Math.sqrt((0.95 * 0.05) / replicates),
  );
});

test("mean/sd above 1e5: the variance of 1e9 + {4, 7, 13, 16} is 30, not rounding noise", () => {
  const values = [4, 7, 13, 16].map((value) => 1e9 + value);
  expect(moments.summary(moments.from(values)).variance).toBe(30);
});

test("small samples feed bounds with the normal deviate of the t tail, not with t itself", () => {
  const variant = { n: 11, mean: 0, variance: 11 };
  const { statistic, z, degreesOfFreedom } = welchTest({
    control: variant,
    treatment: { ...variant, mean: 4.877 * Math.SQRT2 },
  });
  expect(degreesOfFreedom).toBeCloseTo(20, 10);
  expect(statistic).toBeCloseTo(4.877, 10);
  // At 20 degrees of freedom the tail at 4.877 is 85 times the nominal one.
  expect(studentT.sf(4.877, 20) / normal.sf(4.877)).toBeGreaterThan(80);
  expect(normal.sf(z ?? NaN)).toBeCloseTo(studentT.sf(4.877, 20), 15);
  expect(z).toBeLessThan(4);
});

test("a posterior is no protection: P(better) > 95 % at some of 5, 14, 28 looks with probability .13, .19, .24", () => {
  // With a flat prior the posterior exceeds 95 % exactly when z exceeds 1.645.
  const reached = [5, 14, 28].map((looks) => {
    const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
    const upper = fractions.map(() => normal.quantile(0.95));
    return sum(exitProbabilities({ fractions, upper, lower: null, drift: 0 }).upper);
  });
  expect(reached.map((p) => Number(p.toFixed(2)))).toEqual([0.13, 0.19, 0.24]);
});

test("no p-value passes through 1 − cdf: z = 12 has p = 3.6e-33", () => {
  expect(2 * normal.sf(12)).toBeCloseTo(3.552964e-33, 38);
  const far = twoProportionTest({
    control: { n: 100_000, successes: 5000 },
    treatment: { n: 100_000, successes: 8000 },
  });
  expect(far.pValue).toBeGreaterThan(0);
  expect(far.pValue).toBeLessThan(1e-100);
});
