/**
 * The mixture sequential probability ratio test for a normal estimate (Robbins 1970; Johari, Koomen, Pekelis & Walsh 2022, Operations Research 70):
 * may be read at any time, any number of times, with no planned end. The mixing variance must be fixed before the data: one that follows the data
 * is no martingale. Needs some 100 units a variant for the estimate to be normal.
 */
import { requireFinite, requirePositive, requireProbability } from "./check-parameters.ts";
import type { Interval } from "./comparison.ts";
import { normalMixtureRho } from "./normal-mixture-boundary.ts";

export type AlwaysValid = {
  /** log of the mixture likelihood ratio at this reading; null without a standard error. */
  readonly logLikelihoodRatio: number | null;
  /** Smallest so far. */
  readonly pValue: number | null;
  /** What all intervals so far share; null without a standard error, or when they share nothing. */
  readonly confidenceSequence: Interval | null;
};

/**
 * One reading of an effect that has the given standard error. With `previous`, the last result of the same sequence, p is the running minimum and the
 * interval the running intersection; one whose p is null knew nothing yet.
 * @throws RangeError unless effect is finite, standardError ≥ 0, mixingVariance > 0, alpha in (0, 1)
 */
export function alwaysValidTest(input: {
  readonly effect: number;
  readonly standardError: number;
  /** Prior variance of the effect, in its unit squared. */
  readonly mixingVariance: number;
  readonly alpha: number;
  readonly previous?: Pick<AlwaysValid, "pValue" | "confidenceSequence">;
}): AlwaysValid {
  const { effect, standardError, mixingVariance, alpha, previous } = input;
  requireFinite("effect", effect);
  requireFinite("standardError", standardError);
  if (standardError < 0)
    throw new RangeError(`standardError must not be negative, got ${standardError}`);
  requirePositive("mixingVariance", mixingVariance);
  requireProbability("alpha", alpha);
  const variance = standardError * standardError;
  const total = variance + mixingVariance;
  const z = effect / standardError;
  const logLikelihoodRatio =
    0.5 * Math.log(variance / total) + 0.5 * (mixingVariance / total) * z * z;
  const halfWidth = Math.sqrt(
    ((variance * total) / mixingVariance) * (Math.log(total / variance) - 2 * Math.log(alpha)),
  );
  // No standard error, or one too small for doubles.
  if (!(Number.isFinite(logLikelihoodRatio) && halfWidth > 0 && halfWidth < Infinity))
    return {
      logLikelihoodRatio: null,
      pValue: previous?.pValue ?? null,
      confidenceSequence: previous?.confidenceSequence ?? null,
    };
  const pValue = Math.min(1, Math.exp(-logLikelihoodRatio), previous?.pValue ?? 1);
  const interval: Interval = [effect - halfWidth, effect + halfWidth];
  return {
    logLikelihoodRatio,
    pValue,
    confidenceSequence:
      previous === undefined || previous.pValue === null
        ? interval
        : intersection(interval, previous.confidenceSequence),
  };
}

/**
 * The mixing variance that makes the interval tightest when the standard error is the given one, such as that of the planned sample.
 * @throws RangeError unless standardError > 0 and alpha in (0, 1)
 */
export function mixingVarianceFor(input: {
  readonly standardError: number;
  readonly alpha: number;
}): number {
  requirePositive("standardError", input.standardError);
  const time = 1 / (input.standardError * input.standardError);
  return 1 / normalMixtureRho({ time, alpha: input.alpha, sides: 2 });
}

function intersection(a: Interval, b: Interval | null): Interval | null {
  if (b === null) return null;
  const lower = Math.max(a[0], b[0]);
  const upper = Math.min(a[1], b[1]);
  return lower <= upper ? [lower, upper] : null;
}
