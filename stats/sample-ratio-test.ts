/**
 * Whether units fell into the variants as the weights say: Pearson's chi-square for one reading. Re-checked at every refresh it is wrong far
 * more often than its level: alarms belong to `sequentialSampleRatioTest`. Needs expected counts of 5 or more.
 */
import { requireCount, requireSameLength } from "./check-parameters.ts";
import { chiSquare } from "./chi-square.ts";

export type SampleRatio = {
  /** null when nothing was observed or only one variant has weight. */
  readonly statistic: number | null;
  readonly degreesOfFreedom: number;
  readonly pValue: number | null;
  /** Expected counts; 0 where the weight is 0. */
  readonly expected: number[];
};

export type ObservedShares = {
  /** Units per variant. */
  readonly observed: readonly number[];
  /** Planned weights in the same order, on any scale; a variant of weight 0 is left out, with its units. */
  readonly weights: readonly number[];
};

const SMALLEST_SHARE = 1e-12;

/** The variants that have weight, with shares that sum to 1. @throws RangeError naming what is impossible */
export function plannedShares({ observed, weights }: ObservedShares): {
  counts: number[];
  shares: number[];
} {
  requireSameLength("observed", observed, "weights", weights.length);
  observed.forEach((count, i) => {
    requireCount(`observed[${i}]`, count);
  });
  let total = 0;
  weights.forEach((weight, i) => {
    if (!(weight >= 0 && weight < Infinity))
      throw new RangeError(`weights[${i}] must be a non-negative finite number, got ${weight}`);
    total += weight;
  });
  if (total === 0) throw new RangeError("weights must not all be 0");
  weights.forEach((weight, i) => {
    if (weight > 0 && !(weight >= SMALLEST_SHARE * total))
      throw new RangeError(`weights[${i}] must be 0 or a share of 1e-12 or more, got ${weight}`);
  });
  const kept = weights.map((weight) => weight > 0);
  return {
    counts: observed.filter((_, i) => kept[i]),
    shares: weights.filter((_, i) => kept[i]).map((weight) => weight / total),
  };
}

/** @throws RangeError for counts that are none, negative or vanishing weights, lists of different length */
export function sampleRatioTest(input: ObservedShares): SampleRatio {
  const { counts, shares } = plannedShares(input);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weightTotal = input.weights.reduce((sum, weight) => sum + weight, 0);
  const expected = input.weights.map((weight) => total * (weight / weightTotal));
  const degreesOfFreedom = shares.length - 1;
  if (total === 0 || degreesOfFreedom === 0)
    return { statistic: null, degreesOfFreedom, pValue: null, expected };
  let statistic = 0;
  shares.forEach((share, i) => {
    const mean = total * share;
    statistic += ((counts[i] ?? 0) - mean) ** 2 / mean;
  });
  return {
    statistic,
    degreesOfFreedom,
    pValue: chiSquare.sf(statistic, degreesOfFreedom),
    expected,
  };
}
