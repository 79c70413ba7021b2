/**
 * Two means with unequal variances: Welch's t with Satterthwaite's degrees of freedom (B. L. Welch 1947, Biometrika 34). Robust to unequal
 * variances and sizes; skewed metrics need some 355 · skewness² units a variant (Kohavi et al. 2014).
 */
import { compare, effectAlone, NO_COMPARISON, requireLevel } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import { requireSummary } from "./moments.ts";
import type { Moments, Summary } from "./moments.ts";

/**
 * Treatment against control, from moments, or from means and variances with denominator n − 1.
 * @throws RangeError for impossible moments, or a level outside (0, 1)
 */
export function welchTest(input: {
  readonly control: Summary | Moments;
  readonly treatment: Summary | Moments;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Comparison {
  const { level = 0.95 } = input;
  const control = requireSummary("control", input.control);
  const treatment = requireSummary("treatment", input.treatment);
  requireLevel(level);
  if (control.n === 0 || treatment.n === 0) return NO_COMPARISON;
  const effect = treatment.mean - control.mean;
  if (control.n < 2 || treatment.n < 2) return effectAlone(effect, control.mean);
  const a = control.variance / control.n;
  const b = treatment.variance / treatment.n;
  const standardError = Math.sqrt(a + b);
  return compare({
    effect,
    standardError,
    statistic: effect / standardError,
    degreesOfFreedom: satterthwaite([a, control.n], [b, treatment.n]),
    baseline: control.mean,
    baselineVariance: a,
    baselineCovariance: -a,
    level,
  });
}

/** Degrees of freedom of the sum of two variances of means; NaN when both are 0. Shares, not squares: those of tiny metrics would underflow. */
export function satterthwaite(
  [a, n]: readonly [varianceOfMean: number, n: number],
  [b, m]: readonly [varianceOfMean: number, n: number],
): number {
  const total = a + b;
  return 1 / ((a / total) ** 2 / (n - 1) + (b / total) ** 2 / (m - 1));
}
