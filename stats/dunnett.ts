/**
 * Dunnett's (1955, JASA 50) single-step critical value for several treatments against one control in a fixed-sample test: sharper than Bonferroni because
 * the comparisons share the control. Must not be plugged into error-spending bounds: a ledger there spends its own share of alpha.
 */
import { requirePositive, requireProbability } from "./check-parameters.ts";
import { brentRoot } from "./find-root.ts";
import { composite, gaussLegendre, integrate } from "./gauss-legendre.ts";
import { normal } from "./normal.ts";

const OVER_NORMAL = composite(gaussLegendre(16), { lower: -9, upper: 9, panels: 12 });

/**
 * c with P(some |Z_i| > c) = alpha when no treatment has an effect; Z_i are correlated through the control. Known variance. Error below 1e-10.
 * @throws RangeError unless treatments is a positive integer, 0 < alpha < 1, allocation > 0
 */
export function dunnettCriticalValue(input: {
  readonly treatments: number;
  /** Family-wise, two-sided. */
  readonly alpha: number;
  /** Units of each treatment per unit of the control; default 1. */
  readonly allocation?: number;
}): number {
  const { treatments, alpha, allocation = 1 } = input;
  if (!Number.isSafeInteger(treatments) || treatments < 1)
    throw new RangeError(`treatments must be a positive integer, got ${treatments}`);
  requireProbability("alpha", alpha);
  requirePositive("allocation", allocation);
  const loading = Math.sqrt(allocation / (1 + allocation));
  const rest = Math.sqrt(1 / (1 + allocation));
  // Given the control, the treatments are independent; 1 − pᵐ without cancellation.
  const error = (c: number): number =>
    integrate((x) => {
      const outside = normal.sf((c - loading * x) / rest) + normal.sf((c + loading * x) / rest);
      return normal.pdf(x) * -Math.expm1(treatments * Math.log1p(-outside));
    }, OVER_NORMAL);
  const ends = {
    lower: -normal.quantile(alpha / 2) - 1e-6,
    upper: -normal.quantile(alpha / 2 / treatments) + 1e-6,
  };
  return brentRoot((c) => Math.log(error(c) / alpha), { ...ends, tolerance: 1e-12 });
}
