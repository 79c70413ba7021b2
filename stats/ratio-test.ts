/**
 * Ratio metrics (revenue per session, clicks per view) when the randomised unit is coarser than the denominator: the delta method on
 * unit-level moments (Deng, Knoblich & Lu 2018, KDD, section 3). Says nothing of a treatment that moves the denominator: test that too.
 */
import { requireCount, requireFinite } from "./check-parameters.ts";
import { compare, effectAlone, NO_COMPARISON, requireLevel } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import type { PairedSummary } from "./paired-moments.ts";

/** A denominator closer to zero than this many standard errors has no ratio worth testing. */
const DENOMINATOR_FROM = 4;

/** @throws RangeError unless n is a count, the moments finite, variances not negative, the covariance within them */
export function requirePairedSummary(name: string, summary: PairedSummary): void {
  requireCount(`${name}.n`, summary.n);
  requireFinite(`${name}.meanY`, summary.meanY);
  requireFinite(`${name}.meanX`, summary.meanX);
  requireFinite(`${name}.varianceY`, summary.varianceY);
  requireFinite(`${name}.varianceX`, summary.varianceX);
  requireFinite(`${name}.covariance`, summary.covariance);
  if (summary.varianceY < 0) throw new RangeError(`${name}.varianceY must not be negative`);
  if (summary.varianceX < 0) throw new RangeError(`${name}.varianceX must not be negative`);
  const limit = Math.sqrt(summary.varianceY) * Math.sqrt(summary.varianceX);
  if (Math.abs(summary.covariance) > limit * (1 + 1e-6))
    throw new RangeError(`${name}.covariance must not exceed what its variances allow`);
}

/**
 * Treatment's ΣY/ΣX against control's; y is the numerator, x the denominator, per randomised unit. `statistic` is z.
 * A denominator within 4 standard errors of zero has no result.
 * @throws RangeError for impossible moments, or a level outside (0, 1)
 */
export function ratioTest(input: {
  readonly control: PairedSummary;
  readonly treatment: PairedSummary;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Comparison {
  const { control, treatment, level = 0.95 } = input;
  requirePairedSummary("control", control);
  requirePairedSummary("treatment", treatment);
  requireLevel(level);
  const a = ratioOf(control);
  const b = ratioOf(treatment);
  if (a === null || b === null) return NO_COMPARISON;
  const effect = b.ratio - a.ratio;
  if (control.n < 2 || treatment.n < 2) return effectAlone(effect, a.ratio);
  const standardError = Math.sqrt(a.variance + b.variance);
  return compare({
    effect,
    standardError,
    statistic: effect / standardError,
    degreesOfFreedom: null,
    baseline: a.ratio,
    baselineVariance: a.variance,
    baselineCovariance: -a.variance,
    level,
  });
}

function ratioOf(summary: PairedSummary): { ratio: number; variance: number } | null {
  const { n, meanY, meanX, varianceY, varianceX, covariance } = summary;
  if (n === 0 || meanX === 0 || Math.abs(meanX) < DENOMINATOR_FROM * Math.sqrt(varianceX / n))
    return null;
  const ratio = meanY / meanX;
  const linearised = varianceY - 2 * ratio * covariance + ratio * ratio * varianceX;
  return { ratio, variance: Math.max(0, linearised) / (n * meanX * meanX) };
}
