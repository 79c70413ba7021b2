/**
 * A group-sequential design: its bounds, the drift that gives the wanted power, and what stopping early costs and saves. Information is on the scale
 * of the fractions: a drift of δ means E[Z] = δ at fraction 1.
 */
import { requireProbability } from "./check-parameters.ts";
import { expectedFraction, solveDrift } from "./drift-for-power.ts";
import { futilityBounds } from "./futility-bounds.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import type { GroupSequentialBounds, GroupSequentialPlan } from "./group-sequential-bounds.ts";
import { normal } from "./normal.ts";
import { requireSpendingCurve } from "./spending-function.ts";
import type { SpendingCurve } from "./spending-function.ts";

export type GroupSequentialDesign = GroupSequentialBounds & {
  /** Non-binding bounds below which the trial may stop for futility, per look; null without futility. */
  readonly futility: number[] | null;
  /** E[Z] at fraction 1 that gives the power. */
  readonly drift: number;
  /** Maximum sample size over the fixed-sample size of equal error and power. */
  readonly inflationFactor: number;
  /** Expected information at the stop, on the scale of the fractions. */
  readonly expectedFraction: {
    readonly null: number;
    /** Under half the drift. */
    readonly half: number;
    readonly alternative: number;
  };
};

/**
 * Power is the probability of stopping above (the favourable side), before any futility stop. Source: Jennison & Turnbull (2000), chapters 2,
 * 4 and 7; futility by beta spending, Pampallona, Tsiatis & Kim (2001).
 * @throws RangeError naming the parameter: as `groupSequentialBounds`; power not above alpha/sides; futility of a two-sided design; beta above 1 − power
 */
export function designGroupSequential(
  plan: GroupSequentialPlan & {
    readonly power: number;
    readonly futility?: { readonly beta: number; readonly spending: SpendingCurve };
  },
): GroupSequentialDesign {
  const { fractions, alpha, power, sides, futility, spendingTime } = plan;
  const bounds = groupSequentialBounds(plan);
  requireProbability("power", power);
  if (!(power > alpha / sides))
    throw new RangeError(`power must exceed the error of a side, got ${power}`);
  if (futility) {
    requireProbability("futility.beta", futility.beta);
    requireSpendingCurve("futility.spending", futility.spending);
    if (sides === 2) throw new RangeError("futility needs a one-sided design: sides must be 1");
    if (futility.beta > 1 - power + 1e-12)
      throw new RangeError(`futility.beta must not exceed 1 - power, got ${futility.beta}`);
  }
  const { upper } = bounds;
  const lowerAt = (drift: number): number[] | null => {
    if (!futility) return bounds.lower;
    const { lower } = futilityBounds({
      fractions,
      upper,
      drift,
      ...futility,
      ...(spendingTime ? { spendingTime } : {}),
    });
    // The last look decides: what does not cross above fails.
    return [...lower.slice(0, -1), ...upper.slice(-1)];
  };
  const drift = solveDrift((trial) => ({ fractions, upper, lower: lowerAt(trial) }), power);
  const looks = { fractions, upper, lower: lowerAt(drift) };
  const fixedDrift = -normal.quantile(alpha / sides) + normal.quantile(power);
  return {
    ...bounds,
    futility: futility ? looks.lower : null,
    drift,
    inflationFactor: (drift / fixedDrift) ** 2,
    expectedFraction: {
      null: expectedFraction({ ...looks, drift: 0 }),
      half: expectedFraction({ ...looks, drift: drift / 2 }),
      alternative: expectedFraction({ ...looks, drift }),
    },
  };
}
