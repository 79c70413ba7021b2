/** How likely a group-sequential trial is to stop at each look, and on which side, under any drift. Both bounds absorb. */
import { requireFinite } from "./check-parameters.ts";
import { requireBounds } from "./looks.ts";
import { advance, pointMass, probabilityAbove, probabilityBelow } from "./sub-density.ts";
import type { SubDensity } from "./sub-density.ts";

export type Looks = {
  /** Information at each look over the planned final information. */
  readonly fractions: readonly number[];
  /** Bounds for z; an infinite one never stops. */
  readonly upper: readonly number[];
  /** null: one-sided, nothing stops below. */
  readonly lower: readonly number[] | null;
};

export type ExitProbabilities = {
  /** P(first exit at look k, above). */
  readonly upper: number[];
  /** P(first exit at look k, below); zeros when `lower` is null. */
  readonly lower: number[];
  /** Both sides together. */
  readonly total: number[];
};

/**
 * Exit probabilities per look when E[Z_k] = drift · √t_k and Cov(Z_i, Z_j) = √(t_i / t_j).
 * Source: Armitage, McPherson & Rowe (1969); Jennison & Turnbull (2000), section 19.2. Absolute error below 1e-12.
 * @throws RangeError for fractions that do not increase, bounds of another length or crossed, a drift that is not finite
 */
export function exitProbabilities(design: Looks & { readonly drift: number }): ExitProbabilities {
  requireBounds(design.fractions, design.upper, design.lower);
  requireFinite("drift", design.drift);
  return walk(design, design.drift, pointMass(0, 0));
}

/** The same from any starting point, over the looks whose information lies beyond it. */
export function walk(looks: Looks, drift: number, start: SubDensity): ExitProbabilities {
  const exits: ExitProbabilities = { upper: [], lower: [], total: [] };
  let density = start;
  looks.fractions.forEach((time, k) => {
    const root = Math.sqrt(time);
    const upper = (looks.upper[k] ?? Infinity) * root;
    const lower = (looks.lower?.[k] ?? -Infinity) * root;
    const above = probabilityAbove(density, time, upper, drift);
    const below = probabilityBelow(density, time, lower, drift);
    exits.upper.push(above);
    exits.lower.push(below);
    exits.total.push(above + below);
    const nextTime = looks.fractions[k + 1];
    if (nextTime !== undefined) density = advance(density, { time, nextTime, lower, upper, drift });
  });
  return exits;
}
