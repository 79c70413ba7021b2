/**
 * Error-spending bounds: the z that each look must reach so that a trial without effect stops, by then, with exactly the probability that the
 * spending function allows. Bounds of earlier looks never depend on later ones, to the last bit, so a ledger may append.
 */
import { requireProbability, requireSides } from "./check-parameters.ts";
import { newtonRoot } from "./find-root.ts";
import { requireFractions } from "./looks.ts";
import { normal } from "./normal.ts";
import { requireSpending, requireSpendingTime, spentBy } from "./spending-function.ts";
import type { Spending } from "./spending-function.ts";
import { advance, densityAt, pointMass, probabilityAbove, upperEdge } from "./sub-density.ts";
import type { SubDensity } from "./sub-density.ts";

/** A look that may spend less than this on a side cannot decide: its bound is infinite. */
const SMALLEST_SPEND = 5e-16;
/** Down to here such a look still absorbs in the recursion, or the bounds near 8 that follow it would be wrong in the fourth digit. */
const SMALLEST_ABSORBED = 5e-25;
const HAYBITTLE_PETO_BOUND = 3;

export type GroupSequentialPlan = {
  /** Information at each look over the planned final information; beyond 1 is an overrun. */
  readonly fractions: readonly number[];
  /** Total error, both sides together; already divided among comparisons. */
  readonly alpha: number;
  readonly sides: 1 | 2;
  readonly spending: Spending;
  /** When error is spent, if not by information: non-decreasing, in (0, 1]; default min(fraction, 1). */
  readonly spendingTime?: readonly number[];
};

export type GroupSequentialBounds = {
  /** Bound for z at each look; Infinity where the look cannot decide (write null on the wire). */
  readonly upper: number[];
  /** The mirror image, or null when one-sided. */
  readonly lower: number[] | null;
  /** Error spent by each look, both sides together. */
  readonly alphaSpent: number[];
  /** Error spent at each look, both sides together. */
  readonly alphaIncrement: number[];
  /** The p-value of a fixed test that just reaches the bound, two-sided when `sides` is 2. */
  readonly nominalP: number[];
};

/** Levels up to this have no design under the spending function: interim looks at |z| = 3 would spend more. */
export function smallestAlpha(plan: Omit<GroupSequentialPlan, "alpha">): number {
  const interim = spendingTimes(plan).some((time) => time < 1);
  return plan.spending === "haybittle-peto" && interim
    ? plan.sides * normal.sf(HAYBITTLE_PETO_BOUND)
    : 0;
}

function spendingTimes(plan: Omit<GroupSequentialPlan, "alpha">): readonly number[] {
  return plan.spendingTime ?? plan.fractions.map((fraction) => Math.min(fraction, 1));
}

/**
 * Bounds for looks at the given information. Two-sided designs spend alpha/2 a side with both boundaries absorbing (the convention of gsDesign
 * test.type 2, rpact, ldbounds). Source: Lan & DeMets (1983); Jennison & Turnbull (2000), chapters 7 and 19.
 * Error below 1e-13 for bounds under 6, 1e-10 under 8.
 * @throws RangeError naming the parameter: alpha outside (0, 1), fractions that do not increase, spendingTime that falls or leaves (0, 1],
 * an unknown spending function or a parameter of it out of range, alpha too small for haybittle-peto at interim looks
 */
export function groupSequentialBounds(plan: GroupSequentialPlan): GroupSequentialBounds {
  const { fractions, alpha, sides, spending } = plan;
  requireFractions(fractions);
  requireProbability("alpha", alpha);
  requireSides(sides);
  requireSpending("spending", spending);
  const times = spendingTimes(plan);
  requireSpendingTime(times, fractions.length);
  const side = alpha / sides;
  if (alpha <= smallestAlpha(plan))
    throw new RangeError(`alpha must exceed what haybittle-peto spends at |z| = 3, got ${alpha}`);

  const bounds: GroupSequentialBounds = {
    upper: [],
    lower: sides === 2 ? [] : null,
    alphaSpent: [],
    alphaIncrement: [],
    nominalP: [],
  };
  let density = pointMass(0, 0);
  let spent = 0;
  fractions.forEach((time, k) => {
    const root = Math.sqrt(time);
    const spendingNow = times[k] ?? 1;
    let barrier: number;
    let spentNow: number;
    if (spending === "haybittle-peto" && spendingNow < 1) {
      const interim = probabilityAbove(density, time, HAYBITTLE_PETO_BOUND * root, 0);
      spentNow = Math.min(side, spent + interim);
      barrier = spentNow < side ? HAYBITTLE_PETO_BOUND : solveBound(density, time, side - spent);
    } else {
      spentNow = spending === "haybittle-peto" ? side : spentBy(spendingNow, side, spending);
      const increment = spentNow - spent;
      barrier = increment < SMALLEST_ABSORBED ? Infinity : solveBound(density, time, increment);
    }
    const bound = spentNow - spent < SMALLEST_SPEND ? Infinity : barrier;
    bounds.upper.push(bound);
    bounds.lower?.push(-bound);
    bounds.alphaSpent.push(sides * spentNow);
    bounds.alphaIncrement.push(sides * (spentNow - spent));
    bounds.nominalP.push(sides * normal.sf(bound));
    spent = spentNow;
    const nextTime = fractions[k + 1];
    if (nextTime !== undefined) {
      const lower = sides === 2 ? -barrier * root : -Infinity;
      density = advance(density, { time, nextTime, lower, upper: barrier * root, drift: 0 });
    }
  });
  return bounds;
}

/** The z at which paths still running cross upwards with the given probability: Newton on its logarithm, which is concave. */
function solveBound(density: SubDensity, time: number, increment: number): number {
  const fixed = -normal.quantile(increment);
  if (density.time === 0) return fixed;
  const root = Math.sqrt(time);
  const target = Math.log(increment);
  // The root lies below what a fixed test needs, and below what a path at the last barrier needs: from there Newton descends to it.
  const fromBarrier = (upperEdge(density) + fixed * Math.sqrt(time - density.time)) / root;
  const start = Math.min(fixed, fromBarrier);
  return newtonRoot({
    evaluate: (bound) => {
      const probability = probabilityAbove(density, time, bound * root, 0);
      const slope = (-densityAt(density, time, bound * root, 0) * root) / probability;
      return [Math.log(probability) - target, slope];
    },
    lower: -40,
    upper: start,
    start,
    increasing: false,
  });
}
