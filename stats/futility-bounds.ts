/**
 * Bounds below which a one-sided trial may stop for futility, by spending the type II error (Pampallona, Tsiatis & Kim 2001, Drug Inf. J. 35).
 * Non-binding: the upper bounds are those of a trial without futility, so that overriding a futility stop never costs alpha.
 */
import { requireFinite, requireProbability } from "./check-parameters.ts";
import { newtonRoot } from "./find-root.ts";
import { requireBounds } from "./looks.ts";
import { normal } from "./normal.ts";
import { requireSpendingCurve, requireSpendingTime, spentBy } from "./spending-function.ts";
import type { SpendingCurve } from "./spending-function.ts";
import { advance, densityAt, lowerEdge, pointMass, probabilityBelow } from "./sub-density.ts";
import type { SubDensity } from "./sub-density.ts";

/** Below this spend a look has no futility bound. */
const SMALLEST_SPEND = 1e-15;

export type FutilityBounds = {
  /** Bound for z at each look, at most the upper one; -Infinity where nothing may be spent. */
  readonly lower: number[];
  /** Type II error spent by each look, under the drift. */
  readonly betaSpent: number[];
};

/**
 * @throws RangeError naming the parameter: fractions that do not increase, bounds of another length, a drift that is not finite,
 * beta outside (0, 1), a spending function that has no curve, spendingTime that falls or leaves (0, 1]
 */
export function futilityBounds(input: {
  readonly fractions: readonly number[];
  /** The efficacy bounds. */
  readonly upper: readonly number[];
  /** The drift whose loss is limited: the design's. */
  readonly drift: number;
  readonly beta: number;
  readonly spending: SpendingCurve;
  /** Default min(fraction, 1). */
  readonly spendingTime?: readonly number[];
}): FutilityBounds {
  const { fractions, upper, drift, beta, spending } = input;
  requireBounds(fractions, upper, null);
  requireFinite("drift", drift);
  requireProbability("beta", beta);
  requireSpendingCurve("spending", spending);
  const times = input.spendingTime ?? fractions.map((fraction) => Math.min(fraction, 1));
  requireSpendingTime(times, fractions.length);
  const result: FutilityBounds = { lower: [], betaSpent: [] };
  let density = pointMass(0, 0);
  let spent = 0;
  fractions.forEach((time, k) => {
    const root = Math.sqrt(time);
    const cap = upper[k] ?? Infinity;
    const target = spentBy(times[k] ?? 1, beta, spending);
    const increment = target - spent;
    let bound = -Infinity;
    if (increment > SMALLEST_SPEND) {
      const atCap = probabilityBelow(density, time, cap * root, drift);
      bound = atCap <= increment ? cap : solveBound(density, time, { increment, drift });
    }
    spent += bound === cap ? probabilityBelow(density, time, cap * root, drift) : increment;
    result.lower.push(bound);
    result.betaSpent.push(spent);
    const nextTime = fractions[k + 1];
    if (nextTime !== undefined)
      density = advance(density, { time, nextTime, lower: bound * root, upper: cap * root, drift });
  });
  return result;
}

/** The z below which paths still running fall with the given probability: Newton on its logarithm, as for the bounds above. */
function solveBound(
  density: SubDensity,
  time: number,
  { increment, drift }: { increment: number; drift: number },
): number {
  const root = Math.sqrt(time);
  const target = Math.log(increment);
  const fixed = normal.quantile(increment);
  const step = time - density.time;
  const fromBarrier = (lowerEdge(density) + drift * step + fixed * Math.sqrt(step)) / root;
  const start = Math.max(fixed + drift * root, fromBarrier);
  return newtonRoot({
    evaluate: (bound) => {
      const probability = probabilityBelow(density, time, bound * root, drift);
      const slope = (densityAt(density, time, bound * root, drift) * root) / probability;
      return [Math.log(probability) - target, slope];
    },
    lower: start,
    upper: 40 + Math.abs(drift) * root,
    start,
    increasing: true,
  });
}
