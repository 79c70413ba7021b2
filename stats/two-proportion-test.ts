/**
 * Two proportions: the score test with the pooled variance, the interval with the unpooled one (Agresti 2013, Categorical Data Analysis,
 * section 3.1 and 3.2). Not for a few dozen events: the pooled normal tail is then wrong by factors when the split is uneven.
 */
import { requireCount } from "./check-parameters.ts";
import { compare, effectAlone, NO_COMPARISON, requireLevel } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";

export type Proportion = {
  readonly n: number;
  readonly successes: number;
};

/** @throws RangeError unless successes and n are counts with successes ≤ n */
export function requireProportion(name: string, { n, successes }: Proportion): void {
  requireCount(`${name}.n`, n);
  requireCount(`${name}.successes`, successes);
  if (successes > n)
    throw new RangeError(`${name}.successes must not exceed n, got ${successes} of ${n}`);
}

/**
 * Treatment against control: `statistic` is z with the pooled standard error, `standardError` and the interval are unpooled.
 * @throws RangeError for counts that are none, or a level outside (0, 1)
 */
export function twoProportionTest(input: {
  readonly control: Proportion;
  readonly treatment: Proportion;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Comparison {
  const { control, treatment, level = 0.95 } = input;
  requireProportion("control", control);
  requireProportion("treatment", treatment);
  requireLevel(level);
  if (control.n === 0 || treatment.n === 0) return NO_COMPARISON;
  const a = control.successes / control.n;
  const b = treatment.successes / treatment.n;
  const effect = b - a;
  if (control.n < 2 || treatment.n < 2) return effectAlone(effect, a);
  const pooled = (control.successes + treatment.successes) / (control.n + treatment.n);
  const pooledError = Math.sqrt(pooled * (1 - pooled) * (1 / control.n + 1 / treatment.n));
  const controlVariance = (a * (1 - a)) / control.n;
  return compare({
    effect,
    standardError: Math.sqrt(controlVariance + (b * (1 - b)) / treatment.n),
    statistic: effect / pooledError,
    degreesOfFreedom: null,
    baseline: a,
    baselineVariance: controlVariance,
    baselineCovariance: -controlVariance,
    level,
  });
}
