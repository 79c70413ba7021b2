/**
 * Variance reduction by a covariate measured before exposure (Deng, Xu, Kohavi & Walker 2013, WSDM): the outcome less θ times the covariate, one θ for
 * all variants. Not for a covariate that the treatment could have touched. A ledger of looks is adjusted from the start or never.
 */
import { compare, effectAlone, finiteOrNull, NO_COMPARISON, requireLevel } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import { requireFinite } from "./check-parameters.ts";
import { requirePairedSummary } from "./paired-moments.ts";
import type { PairedMoments, PairedSummary } from "./paired-moments.ts";
import { satterthwaite } from "./welch-test.ts";

export type Cuped = Comparison & {
  /** null when the covariate does not vary. */
  readonly theta: number | null;
  /** Share of the unadjusted effect's variance that is gone; negative when the covariate does harm. */
  readonly varianceReduction: number | null;
  /** z of the difference between the variants' covariate means: a large one says that randomisation failed. */
  readonly covariateImbalance: number | null;
};

/**
 * θ from all variants that are compared, so that every comparison uses the same: cov(x, y) / var(x) over the units of all variants together. null
 * when the covariate does not vary.
 * @throws RangeError for impossible moments
 */
export function cupedTheta(variants: readonly (PairedSummary | PairedMoments)[]): number | null {
  let n = 0;
  let meanX = 0;
  let meanY = 0;
  const summaries = variants.map((variant, i) => requirePairedSummary(`variants[${i}]`, variant));
  summaries.forEach((variant) => {
    n += variant.n;
    meanX += variant.n * variant.meanX;
    meanY += variant.n * variant.meanY;
  });
  if (n === 0) return null;
  meanX /= n;
  meanY /= n;
  let spread = 0;
  let product = 0;
  for (const variant of summaries) {
    const within = Math.max(0, variant.n - 1);
    const fromMean = variant.meanX - meanX;
    spread += within * variant.varianceX + variant.n * fromMean * fromMean;
    product += within * variant.covariance + variant.n * fromMean * (variant.meanY - meanY);
  }
  const theta = product / spread;
  return Number.isFinite(theta) ? theta : null;
}

/**
 * Welch's test of the adjusted outcome; y is the outcome, x the covariate. The relative effect is over the unadjusted control mean, with its covariance.
 * Without a covariate that varies the outcome is compared as it is.
 * @throws RangeError for impossible moments, a theta that is not finite, or a level outside (0, 1)
 */
export function cuped(input: {
  readonly control: PairedSummary | PairedMoments;
  readonly treatment: PairedSummary | PairedMoments;
  /** Default: `cupedTheta` of these two variants. */
  readonly theta?: number;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Cuped {
  const { level = 0.95 } = input;
  const control = requirePairedSummary("control", input.control);
  const treatment = requirePairedSummary("treatment", input.treatment);
  const pooled = cupedTheta([control, treatment]);
  if (input.theta !== undefined) requireFinite("theta", input.theta);
  requireLevel(level);
  const theta = pooled === null ? null : (input.theta ?? pooled);
  const extra = { theta, varianceReduction: null, covariateImbalance: null };
  if (control.n === 0 || treatment.n === 0) return { ...NO_COMPARISON, ...extra };
  const slope = theta ?? 0;
  const differenceX = treatment.meanX - control.meanX;
  const effect = treatment.meanY - control.meanY - slope * differenceX;
  if (control.n < 2 || treatment.n < 2) return { ...effectAlone(effect, control.meanY), ...extra };
  const a = adjustedVariance(control, slope) / control.n;
  const b = adjustedVariance(treatment, slope) / treatment.n;
  const standardError = Math.sqrt(a + b);
  const unadjusted = control.varianceY / control.n + treatment.varianceY / treatment.n;
  const errorX = Math.sqrt(control.varianceX / control.n + treatment.varianceX / treatment.n);
  return {
    ...compare({
      effect,
      standardError,
      statistic: effect / standardError,
      degreesOfFreedom: satterthwaite([a, control.n], [b, treatment.n]),
      baseline: control.meanY,
      baselineVariance: control.varianceY / control.n,
      baselineCovariance: -(control.varianceY - slope * control.covariance) / control.n,
      level,
    }),
    theta,
    varianceReduction: finiteOrNull(1 - (a + b) / unadjusted),
    covariateImbalance: finiteOrNull(differenceX / errorX),
  };
}

function adjustedVariance(
  { varianceY, varianceX, covariance }: PairedSummary,
  theta: number,
): number {
  return Math.max(0, varianceY + theta * theta * varianceX - 2 * theta * covariance);
}
