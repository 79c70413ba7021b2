/**
 * Intervals that hold at every look together, whatever the reason for stopping (Jennison & Turnbull 1989, JRSS B 51; 2000, chapter 9): the estimate
 * give or take the look's own bound. They exclude 0 exactly when the bound is crossed.
 */
import { requireFinite, requireSameLength } from "./check-parameters.ts";
import type { Looks } from "./exit-probabilities.ts";
import { requireBounds } from "./looks.ts";

export type RepeatedConfidenceIntervals = {
  /** z / √t at each look: the drift's plain estimate. */
  readonly estimate: number[];
  /** null where the bound is infinite. */
  readonly lower: (number | null)[];
  /** null where the bound is infinite, and throughout for a one-sided design. */
  readonly upper: (number | null)[];
};

/**
 * On the drift scale: multiply by the standard error at fraction 1. In the metric's unit an interval is simply effect ± bound · standard error.
 * @throws RangeError naming the parameter: bounds that do not match fractions, z not one finite number a look
 */
export function repeatedConfidenceIntervals(
  input: Looks & {
    /** The statistic of each look. */
    readonly z: readonly number[];
  },
): RepeatedConfidenceIntervals {
  const { fractions, upper, lower, z } = input;
  requireBounds(fractions, upper, lower);
  requireSameLength("z", z, "fractions", fractions.length);
  const result: RepeatedConfidenceIntervals = { estimate: [], lower: [], upper: [] };
  z.forEach((value, k) => {
    requireFinite("z", value);
    const root = Math.sqrt(fractions[k] ?? NaN);
    const bottom = (value - (upper[k] ?? Infinity)) / root;
    const top = (value - (lower?.[k] ?? -Infinity)) / root;
    result.estimate.push(value / root);
    result.lower.push(Number.isFinite(bottom) ? bottom : null);
    result.upper.push(Number.isFinite(top) ? top : null);
  });
  return result;
}
