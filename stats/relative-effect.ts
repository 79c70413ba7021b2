/**
 * The effect relative to the control's mean. Its error includes the control's own (delta method); when the control lies near zero the interval is
 * E. C. Fieller's (1954, JRSS B 16), which says by being unbounded, here null, that a relative statement cannot be made.
 */

export type RelativeEffect = {
  /** Effect over the absolute control mean, so that its sign is the effect's. */
  readonly relativeEffect: number | null;
  /** Delta method. */
  readonly relativeStandardError: number | null;
  readonly relativeConfidenceInterval: readonly [lower: number, upper: number] | null;
  /** How the interval was made; null when there is none. */
  readonly relativeMethod: "delta" | "fieller" | null;
};

/** Below this many standard errors from zero the control's mean is too uncertain for the delta method. */
const DELTA_METHOD_FROM = 4;

/**
 * What is left of the ratio's variance below this share of its terms is their rounding: with a treatment of mean and variance 0 the ratio is −1
 * whatever the control.
 */
const NO_VARIANCE = 1e-12;

/** null where an end is beyond the largest double: nothing is known then. */
export function finiteInterval(lower: number, upper: number): readonly [number, number] | null {
  return Number.isFinite(lower) && Number.isFinite(upper) ? [lower, upper] : null;
}

export function relativeEffect(input: {
  readonly effect: number;
  /** Sampling variance of the effect. */
  readonly variance: number;
  /** The control's mean, its sampling variance, and its covariance with the effect (negative as a rule). */
  readonly baseline: number;
  readonly baselineVariance: number;
  readonly covariance: number;
  /** Half-width of the interval in standard errors. */
  readonly critical: number;
}): RelativeEffect {
  const { effect, variance, baselineVariance, critical } = input;
  const baseline = Math.abs(input.baseline);
  const covariance = Math.sign(input.baseline) * input.covariance;
  const ratio = effect / baseline;
  const cross = -2 * ratio * covariance;
  const square = ratio * ratio * baselineVariance;
  const ratioVariance = (variance + cross + square) / (baseline * baseline);
  const cancelled =
    variance + cross + square <= NO_VARIANCE * (variance + Math.abs(cross) + square);
  if (!Number.isFinite(ratio) || cancelled || !(ratioVariance > 0 && ratioVariance < Infinity))
    return {
      relativeEffect: Number.isFinite(ratio) ? ratio : null,
      relativeStandardError: null,
      relativeConfidenceInterval: null,
      relativeMethod: null,
    };
  const error = Math.sqrt(ratioVariance);
  const point = { relativeEffect: ratio, relativeStandardError: error };
  const within = (method: "delta" | "fieller", lower: number, upper: number): RelativeEffect => {
    const interval = finiteInterval(lower, upper);
    const relativeMethod = interval === null ? null : method;
    return { ...point, relativeConfidenceInterval: interval, relativeMethod };
  };
  if (baseline >= DELTA_METHOD_FROM * Math.sqrt(baselineVariance))
    return within("delta", ratio - critical * error, ratio + critical * error);
  // (effect − ρ·baseline)² ≤ critical² Var(effect − ρ·baseline), a quadratic in ρ.
  const width = critical * critical;
  const a = baseline * baseline - width * baselineVariance;
  const b = effect * baseline - width * covariance;
  const c = effect * effect - width * variance;
  const discriminant = b * b - a * c;
  if (!(a > 0 && discriminant >= 0))
    return { ...point, relativeConfidenceInterval: null, relativeMethod: null };
  const root = Math.sqrt(discriminant);
  return within("fieller", (b - root) / a, (b + root) / a);
}
