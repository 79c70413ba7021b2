/**
 * An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Annals of Statistics 52, theorem 2.2): an interval for any
 * estimate with a standard error that holds at all sample sizes at once, for large ones. Tightest near `plannedN`, which must be fixed before the data.
 */
import { requireCount, requireFinite, requireProbability } from "./check-parameters.ts";
import { finiteOrNull } from "./comparison.ts";
import type { Interval } from "./comparison.ts";
import { finiteInterval } from "./relative-effect.ts";

export type AsymptoticConfidenceSequence = {
  /** The tuning parameter that plannedN and alpha give. */
  readonly rho: number;
  readonly halfWidth: number | null;
  readonly confidenceInterval: Interval | null;
  /** The smallest level whose sequence, so tuned, excludes 0 now. */
  readonly pValue: number | null;
};

/**
 * null without units or without a standard error.
 * @throws RangeError unless estimate is finite, standardError ≥ 0, n a count, plannedN ≥ 1, alpha in (0, 1)
 */
export function asymptoticConfidenceSequence(input: {
  readonly estimate: number;
  readonly standardError: number;
  /** Units behind the estimate. */
  readonly n: number;
  /** Units at which the sequence should be tightest. */
  readonly plannedN: number;
  readonly alpha: number;
}): AsymptoticConfidenceSequence {
  const { estimate, standardError, n, plannedN, alpha } = input;
  requireFinite("estimate", estimate);
  requireFinite("standardError", standardError);
  if (standardError < 0)
    throw new RangeError(`standardError must not be negative, got ${standardError}`);
  requireCount("n", n);
  if (!(plannedN >= 1 && plannedN < Infinity))
    throw new RangeError(`plannedN must be a finite number of units, got ${plannedN}`);
  requireProbability("alpha", alpha);
  const logAlpha = -2 * Math.log(alpha);
  const square = (logAlpha + Math.log1p(logAlpha)) / plannedN;
  const rho = Math.sqrt(square);
  if (n === 0 || standardError === 0)
    return { rho, halfWidth: null, confidenceInterval: null, pValue: null };
  const scaled = n * square;
  const halfWidth =
    standardError * Math.sqrt(((scaled + 1) / scaled) * (Math.log1p(scaled) + logAlpha));
  const confidenceInterval = finiteInterval(estimate - halfWidth, estimate + halfWidth);
  const z = estimate / standardError;
  const exponent = 0.5 * Math.log1p(scaled) - (z * z * scaled) / (2 * (scaled + 1));
  return {
    rho,
    halfWidth: finiteOrNull(halfWidth),
    confidenceInterval,
    pValue: Math.min(1, Math.exp(exponent)),
  };
}
