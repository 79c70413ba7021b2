/** Whether going on is futile, for a plan that asks: beta spent under the design's drift, at the information that the looks really had. Not binding. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { plannedFractions } from "../control/resolve-plan.ts";
import { designGroupSequential, futilityBounds } from "../stats/index.ts";

interface FutilityInputs {
  /** Of this ledger's looks, the newest last. */
  fractions: readonly number[];
  spendingTimes: readonly number[];
  upper: readonly number[];
  z: number | null;
  crossed: boolean;
}

/** The last look has none: what does not cross there has failed anyhow. */
export function futilityAt(
  { plan }: Phase,
  metric: PhaseMetric,
  { fractions, spendingTimes, upper, z, crossed }: FutilityInputs,
): { futilityBoundary: number | null; futile: boolean } {
  const { futility, ledgerAlpha: alpha, power, sides, spending } = plan;
  if (futility === "none" || spendingTimes.at(-1) === 1) {
    return { futilityBoundary: null, futile: false };
  }
  const planned = plannedFractions(plan.looks);
  const { drift } = designGroupSequential({
    alpha,
    power,
    sides,
    spending,
    futility,
    fractions: planned,
  });
  const { lower } = futilityBounds({
    fractions,
    upper,
    drift,
    ...futility,
    spendingTime: spendingTimes,
  });
  const bound = lower.at(-1) ?? -Infinity;
  const desired = z === null || metric.direction === "increase" ? z : -z;
  return {
    futilityBoundary: Number.isFinite(bound) ? bound : null,
    futile: !crossed && desired !== null && desired <= bound,
  };
}
