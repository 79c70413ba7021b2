/**
 * Ratio metrics (revenue per session, clicks per view) when the randomised unit is coarser than the denominator: the delta method on
 * unit-level moments (Deng, Knoblich & Lu 2018, KDD, section 3). Says nothing of a treatment that moves the denominator: test that too.
 */
import { compare, effectAlone, NO_COMPARISON, requireLevel } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import { requirePairedSummary } from "./paired-moments.ts";
import type { PairedMoments, PairedSummary } from "./paired-moments.ts";

/** A denominator closer to zero than this many standard errors has no ratio worth testing. */
const DENOMINATOR_FROM = 4;

/**
 * Treatment's ΣY/ΣX against control's; y is the numerator, x the denominator, per randomised unit. `statistic` is z.
 * A denominator within 4 standard errors of zero has no result.
 * @throws RangeError for impossible moments, or a level outside (0, 1)
 */
export function ratioTest(input: {
  readonly control: PairedSummary | PairedMoments;
  readonly treatment: PairedSummary | PairedMoments;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Comparison {
  const { level = 0.95 } = input;
  const control = requirePairedSummary("control", input.control);
  const treatment = requirePairedSummary("treatment", input.treatment);
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
