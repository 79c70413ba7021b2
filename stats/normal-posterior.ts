/**
 * The posterior of an effect whose estimate is normal, under a normal prior (Gelman et al. 2013, Bayesian Data Analysis, section 2.5). A reading aid:
 * looking at it repeatedly and stopping when it pleases errs as often as peeking at p-values does.
 */
import { requireFinite, requirePositive } from "./check-parameters.ts";
import { requireLevel } from "./comparison.ts";
import type { Interval } from "./comparison.ts";
import { normal } from "./normal.ts";

export type NormalPosterior = {
  readonly mean: number | null;
  readonly standardDeviation: number | null;
  /** P(effect > 0): treatment better than control when more is better. */
  readonly probabilityBetter: number | null;
  /** What choosing it is expected to lose, in the effect's unit, when more is better. */
  readonly expectedLoss: { readonly treatment: number; readonly control: number } | null;
  /** Central. */
  readonly interval: Interval | null;
};

/**
 * null throughout when the estimate has no standard error, or the posterior none that doubles can hold beside its mean.
 * @throws RangeError unless estimate and prior mean are finite, standardError ≥ 0, prior standardDeviation > 0, 0 < level < 1
 */
export function normalPosterior(input: {
  readonly estimate: number;
  readonly standardError: number;
  readonly prior: { readonly mean: number; readonly standardDeviation: number };
  /** Default 0.95. */
  readonly level?: number;
}): NormalPosterior {
  const { estimate, standardError, prior, level = 0.95 } = input;
  requireFinite("estimate", estimate);
  requireFinite("standardError", standardError);
  if (standardError < 0)
    throw new RangeError(`standardError must not be negative, got ${standardError}`);
  requireFinite("prior.mean", prior.mean);
  requirePositive("prior.standardDeviation", prior.standardDeviation);
  requireLevel(level);
  // As a root of the weight: the squares of tiny and huge deviations have no double.
  const share = prior.standardDeviation / Math.hypot(prior.standardDeviation, standardError);
  const mean = prior.mean + share * share * (estimate - prior.mean);
  const standardDeviation = share * standardError;
  const z = mean / standardDeviation;
  const critical = -normal.quantile((1 - level) / 2);
  const width = critical * standardDeviation;
  if (!(standardDeviation > 0 && Number.isFinite(z) && Number.isFinite(Math.abs(mean) + width)))
    return {
      mean: null,
      standardDeviation: null,
      probabilityBetter: null,
      expectedLoss: null,
      interval: null,
    };
  return {
    mean,
    standardDeviation,
    probabilityBetter: normal.cdf(z),
    expectedLoss: {
      treatment: standardDeviation * lossFunction(z),
      control: standardDeviation * lossFunction(-z),
    },
    interval: [mean - width, mean + width],
  };
}

/** E max(0, −(Z + z)) for a standard normal Z: the unit normal loss. */
function lossFunction(z: number): number {
  return Math.max(0, normal.pdf(z) - z * normal.sf(z));
}
