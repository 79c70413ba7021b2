/**
 * What every two-variant test answers, and the one house answer for degenerate data: a field that cannot be computed is null, never NaN or
 * Infinity. An empty variant leaves everything null; fewer than two units or no variance at all leave only the effect; a control mean of
 * zero leaves the relative fields null.
 */
import { requireProbability } from "./check-parameters.ts";
import { normal } from "./normal.ts";
import { finiteInterval, relativeEffect } from "./relative-effect.ts";
import type { RelativeEffect } from "./relative-effect.ts";
import { studentT } from "./student-t.ts";

export type Interval = readonly [lower: number, upper: number];

export type Comparison = RelativeEffect & {
  /** Treatment minus control, in the metric's unit. */
  readonly effect: number | null;
  readonly standardError: number | null;
  /** z, t or χ², as the test's name says. */
  readonly statistic: number | null;
  /** null where the statistic is referred to the normal distribution. */
  readonly degreesOfFreedom: number | null;
  /** The normal deviate with the test's p-value and the effect's sign: what sequential bounds are held against. */
  readonly z: number | null;
  /** Two-sided. */
  readonly pValue: number | null;
  readonly confidenceInterval: Interval | null;
};

/** z is reported no further out than this, where p is 1e-300. */
const LARGEST_Z = 37.04709629936;

export type Estimate = {
  readonly effect: number;
  /** Of the effect, for the interval; the test may use another. */
  readonly standardError: number;
  /** Effect over the standard error that the test uses. */
  readonly statistic: number;
  readonly degreesOfFreedom: number | null;
  /** The control's mean, its sampling variance and its covariance with the effect, for the relative scale. */
  readonly baseline: number;
  readonly baselineVariance: number;
  readonly baselineCovariance: number;
  readonly level: number;
};

/** @throws RangeError unless 0 < level < 1 */
export function requireLevel(level: number): void {
  requireProbability("level", level);
}

/** Nothing is known: one of the variants has no units, or too few. */
export const NO_COMPARISON: Comparison = {
  effect: null,
  standardError: null,
  statistic: null,
  degreesOfFreedom: null,
  z: null,
  pValue: null,
  confidenceInterval: null,
  relativeEffect: null,
  relativeStandardError: null,
  relativeConfidenceInterval: null,
  relativeMethod: null,
};

/** A point estimate without any measure of its error. */
export function effectAlone(effect: number, baseline: number): Comparison {
  const relative = baseline === 0 ? null : effect / Math.abs(baseline);
  return {
    ...NO_COMPARISON,
    effect: finiteOrNull(effect),
    relativeEffect: relative === null ? null : finiteOrNull(relative),
  };
}

/** The full answer from an estimate with its error. */
export function compare(estimate: Estimate): Comparison {
  const { effect, standardError, statistic, degreesOfFreedom: df, level } = estimate;
  if (!(Number.isFinite(statistic) && standardError < Infinity && (df === null || df > 0)))
    return effectAlone(effect, estimate.baseline);
  const tail = df === null ? normal.sf(Math.abs(statistic)) : studentT.sf(Math.abs(statistic), df);
  const size = df === null ? Math.abs(statistic) : tail === 0 ? LARGEST_Z : -normal.quantile(tail);
  const test = {
    statistic,
    degreesOfFreedom: df,
    z: Math.sign(statistic) * Math.min(size, LARGEST_Z),
    pValue: Math.min(1, 2 * tail),
  };
  // None converted against all converted: a test, but no error to make an interval from.
  if (!(standardError > 0)) return { ...effectAlone(effect, estimate.baseline), ...test };
  const miss = (1 - level) / 2;
  const critical = df === null ? -normal.quantile(miss) : -studentT.quantile(miss, df);
  return {
    ...test,
    effect,
    standardError,
    confidenceInterval: finiteInterval(
      effect - critical * standardError,
      effect + critical * standardError,
    ),
    ...relativeEffect({
      effect,
      variance: standardError * standardError,
      baseline: estimate.baseline,
      baselineVariance: estimate.baselineVariance,
      covariance: estimate.baselineCovariance,
      critical,
    }),
  };
}

/** The house answer for one figure. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
