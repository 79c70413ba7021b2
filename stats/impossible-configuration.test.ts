import { describe, expect, test } from "vitest";
import { adjustPValues } from "./adjust-p-values.ts";
import { alwaysValidTest } from "./always-valid-test.ts";
import { asymptoticConfidenceSequence } from "./asymptotic-confidence-sequence.ts";
import { beta } from "./beta.ts";
import { betaBinomialPosterior } from "./beta-binomial-posterior.ts";
import { requireSides } from "./check-parameters.ts";
import { chiSquare } from "./chi-square.ts";
import { classicalBounds } from "./classical-bounds.ts";
import { cuped } from "./cuped.ts";
import { designGroupSequential } from "./design-group-sequential.ts";
import { driftForPower } from "./drift-for-power.ts";
import { dunnettCriticalValue } from "./dunnett.ts";
import { exitProbabilities } from "./exit-probabilities.ts";
import { futilityBounds } from "./futility-bounds.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { minimumDetectableEffect } from "./minimum-detectable-effect.ts";
import { moments } from "./moments.ts";
import { normal } from "./normal.ts";
import { normalMixtureBoundary, normalMixtureRho } from "./normal-mixture-boundary.ts";
import { normalPosterior } from "./normal-posterior.ts";
import { powerMeans } from "./power-means.ts";
import { powerProportions } from "./power-proportions.ts";
import { repeatedConfidenceIntervals } from "./repeated-confidence-intervals.ts";
import { sampleRatioTest } from "./sample-ratio-test.ts";
import { sampleSizeMeans } from "./sample-size-means.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";
import { repeatedPValue } from "./sequential-p-value.ts";
import { sequentialSampleRatioTest } from "./sequential-sample-ratio-test.ts";
import { studentT } from "./student-t.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import { welchTest } from "./welch-test.ts";

const plan = { fractions: [0.5, 1], alpha: 0.05, sides: 2, spending: "obrien-fleming" } as const;
const oneSided = { ...plan, sides: 1, power: 0.8 } as const;
const looks = { fractions: [0.5, 1], upper: [2.8, 2], lower: [-2.8, -2] };
const futility = { ...looks, drift: 3, beta: 0.2, spending: "pocock" } as const;
/** A value that the types forbid, as it may come from outside. */
const fromJson = (text: string): never => JSON.parse(text) as never;
const size = { baseline: 0.05, alternative: 0.06, alpha: 0.05, power: 0.8 };
const means = { standardDeviation: 1, difference: 0.1, alpha: 0.05, power: 0.8 };
const counts = { control: { n: 10, successes: 1 }, treatment: { n: 10, successes: 2 } };
const pair = { n: 10, meanY: 1, meanX: 1, varianceY: 1, varianceX: 1, covariance: 0 };
const reading = { effect: 1, standardError: 1, mixingVariance: 1, alpha: 0.05 };

const REFUSED: [parameter: string, attempt: () => unknown][] = [
  ["alpha", () => groupSequentialBounds({ ...plan, alpha: 0 })],
  ["alpha", () => groupSequentialBounds({ ...plan, alpha: NaN })],
  ["alpha", () => groupSequentialBounds({ ...plan, alpha: 0.002, spending: "haybittle-peto" })],
  ["sides", () => requireSides(3)],
  ["fractions", () => groupSequentialBounds({ ...plan, fractions: [] })],
  ["fractions", () => groupSequentialBounds({ ...plan, fractions: [0.5, 0.5] })],
  ["fractions", () => groupSequentialBounds({ ...plan, fractions: [0.5, 0.5 + 1e-9] })],
  ["fractions", () => groupSequentialBounds({ ...plan, fractions: [0, 1] })],
  ["fractions", () => groupSequentialBounds({ ...plan, fractions: [0.5, Infinity] })],
  ["spendingTime", () => groupSequentialBounds({ ...plan, spendingTime: [0.5] })],
  ["spendingTime", () => groupSequentialBounds({ ...plan, spendingTime: [0.6, 0.5] })],
  ["spendingTime", () => groupSequentialBounds({ ...plan, spendingTime: [0.5, 1.1] })],
  [
    "spending.gamma",
    () =>
      groupSequentialBounds({
        ...plan,
        spending: { family: "hwang-shih-decani", gamma: Infinity },
      }),
  ],
  [
    "spending.rho",
    () => groupSequentialBounds({ ...plan, spending: { family: "kim-demets", rho: 0 } }),
  ],
  ["spending", () => groupSequentialBounds({ ...plan, spending: fromJson('"bogus"') })],
  ["spending", () => groupSequentialBounds({ ...plan, spending: fromJson('{"family":"bogus"}') })],
  ["spending", () => groupSequentialBounds({ ...plan, spending: fromJson("null") })],
  ["spending", () => futilityBounds({ ...futility, spending: fromJson('"haybittle-peto"') })],
  [
    "futility.spending",
    () =>
      designGroupSequential({
        ...oneSided,
        futility: { beta: 0.2, spending: fromJson('"haybittle-peto"') },
      }),
  ],
  ["spendingTime", () => futilityBounds({ ...futility, spendingTime: [-1, NaN] })],
  ["spendingTime", () => futilityBounds({ ...futility, spendingTime: [0.6, 0.5] })],
  ["upper", () => exitProbabilities({ ...looks, upper: [2], drift: 0 })],
  ["upper", () => exitProbabilities({ ...looks, upper: [NaN, 2], drift: 0 })],
  ["lower", () => exitProbabilities({ ...looks, lower: [3, -2], drift: 0 })],
  ["drift", () => exitProbabilities({ ...looks, drift: Infinity })],
  ["power", () => driftForPower({ ...looks, power: 0.001 })],
  ["power", () => driftForPower({ ...looks, upper: [Infinity, Infinity], power: 0.8 })],
  ["power", () => designGroupSequential({ ...plan, power: 0.02 })],
  ["power", () => designGroupSequential({ ...plan, power: 1 })],
  [
    "futility",
    () =>
      designGroupSequential({ ...plan, power: 0.8, futility: { beta: 0.2, spending: "pocock" } }),
  ],
  [
    "futility.beta",
    () => designGroupSequential({ ...oneSided, futility: { beta: 0.3, spending: "pocock" } }),
  ],
  ["beta", () => futilityBounds({ ...futility, beta: 1 })],
  ["type.wangTsiatis", () => classicalBounds({ ...plan, type: { wangTsiatis: NaN } })],
  ["type.wangTsiatis", () => classicalBounds({ ...plan, type: { wangTsiatis: -1e6 } })],
  ["alpha", () => classicalBounds({ fractions: [0.5, 1], type: "pocock", alpha: 0.8, sides: 1 })],
  ["alpha", () => classicalBounds({ fractions: [1], type: "pocock", alpha: 0.6, sides: 1 })],
  ["time", () => normalMixtureBoundary({ time: 1e307, rho: 1e-320, alpha: 0.05, sides: 2 })],
  ["z", () => repeatedConfidenceIntervals({ ...looks, z: [1] })],
  ["z", () => repeatedPValue({ ...plan, z: Infinity })],
  ["control.n", () => twoProportionTest({ ...counts, control: { n: 1.5, successes: 1 } })],
  [
    "treatment.successes",
    () => twoProportionTest({ ...counts, treatment: { n: 1, successes: 2 } }),
  ],
  ["level", () => twoProportionTest({ ...counts, level: 95 })],
  [
    "treatment.variance",
    () =>
      welchTest({
        control: { n: 5, mean: 0, variance: 1 },
        treatment: { n: 5, mean: 0, variance: -1 },
      }),
  ],
  ["control.varianceX", () => cuped({ control: { ...pair, varianceX: -1 }, treatment: pair })],
  ["control.m2", () => welchTest({ control: { n: 5, mean: 0, m2: -1 }, treatment: moments.empty })],
  [
    "treatment.m2X",
    () =>
      cuped({ control: pair, treatment: { n: 5, meanY: 0, meanX: 0, m2Y: 1, m2X: -1, cXY: 0 } }),
  ],
  ["theta", () => cuped({ control: pair, treatment: pair, theta: NaN })],
  ["weights", () => sampleRatioTest({ observed: [1, 2], weights: [0, 0] })],
  ["weights[0]", () => sampleRatioTest({ observed: [1, 2], weights: [1e-300, 1e300] })],
  ["weights[0]", () => sampleRatioTest({ observed: [1, 2], weights: [1e308, 1e308] })],
  ["weights[1]", () => sampleRatioTest({ observed: [1, 2], weights: [1, -1] })],
  ["observed", () => sampleRatioTest({ observed: [1], weights: [1, 1] })],
  ["observed[1]", () => sampleRatioTest({ observed: [1, -2], weights: [1, 1] })],
  [
    "concentration",
    () => sequentialSampleRatioTest({ observed: [1, 2], weights: [1, 1], concentration: 0 }),
  ],
  ["pValues", () => adjustPValues([0.5, 1.1], "holm")],
  ["pValues", () => adjustPValues([NaN], "holm")],
  ["method", () => adjustPValues([0.5], fromJson('"bogus"'))],
  ["method", () => adjustPValues([0.5], fromJson('"toString"'))],
  ["mixingVariance", () => alwaysValidTest({ ...reading, mixingVariance: 0 })],
  ["standardError", () => alwaysValidTest({ ...reading, standardError: -1 })],
  ["effect", () => alwaysValidTest({ ...reading, effect: NaN })],
  [
    "plannedN",
    () =>
      asymptoticConfidenceSequence({
        estimate: 0,
        standardError: 1,
        n: 5,
        plannedN: 0,
        alpha: 0.05,
      }),
  ],
  ["rho", () => normalMixtureBoundary({ time: 1, rho: 0, alpha: 0.05, sides: 2 })],
  ["alpha", () => normalMixtureRho({ time: 1, alpha: 0.5, sides: 1 })],
  ["prior.a", () => betaBinomialPosterior({ ...counts, prior: { a: 0, b: 1 } })],
  [
    "prior.standardDeviation",
    () =>
      normalPosterior({ estimate: 0, standardError: 1, prior: { mean: 0, standardDeviation: 0 } }),
  ],
  ["baseline", () => sampleSizeProportions({ ...size, baseline: 5 })],
  ["alternative", () => sampleSizeProportions({ ...size, alternative: 0.05 })],
  ["allocation", () => sampleSizeProportions({ ...size, allocation: 0 })],
  ["treatments", () => sampleSizeProportions({ ...size, treatments: 0 })],
  ["inflation", () => sampleSizeProportions({ ...size, inflation: 0.9 })],
  ["power", () => sampleSizeProportions({ ...size, power: 0.01 })],
  ["difference", () => sampleSizeMeans({ ...means, difference: 0 })],
  ["difference", () => sampleSizeMeans({ ...means, difference: 1e-170 })],
  ["standardDeviation", () => powerMeans({ ...means, standardDeviation: 0, control: 100 })],
  ["control", () => powerMeans({ ...means, control: 1 })],
  ["control", () => powerProportions({ ...size, control: 0 })],
  ["control", () => minimumDetectableEffect({ ...means, control: -1 })],
  ["treatments", () => dunnettCriticalValue({ treatments: 1.5, alpha: 0.05 })],
  ["n", () => moments.fromSums({ n: -1, sum: 0, sumOfSquares: 0 })],
  ["sum", () => moments.fromSums({ n: 1, sum: NaN, sumOfSquares: 0 })],
  ["p", () => normal.quantile(1.5)],
  ["z", () => normal.sf(NaN)],
  ["z", () => normal.pdf(NaN)],
  ["t", () => studentT.cdf(NaN, 5)],
  ["x", () => chiSquare.sf(NaN, 5)],
  ["x", () => beta.cdf(NaN, 5, 5)],
  ["df", () => studentT.cdf(1, 0)],
  ["df", () => chiSquare.sf(1, -1)],
  ["a", () => beta.cdf(0.5, 0, 1)],
];

describe("an impossible configuration throws a RangeError that names the parameter", () => {
  test.each(REFUSED)("%s", (parameter, attempt) => {
    expect(attempt).toThrow(RangeError);
    expect(attempt).toThrow(`${parameter} `);
  });
});
