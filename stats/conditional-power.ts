/**
 * The chance of crossing the upper bound at a later look, given where the trial stands now (Jennison & Turnbull 2000, section 10.2), with the bounds of
 * the looks that remain. Says what may happen, not what is true: never a reason to change alpha.
 */
import { requireFinite } from "./check-parameters.ts";
import { walk } from "./exit-probabilities.ts";
import type { Looks } from "./exit-probabilities.ts";
import { requireBounds } from "./looks.ts";
import { normal } from "./normal.ts";
import { pointMass } from "./sub-density.ts";

export type ConditionalPower = {
  /** P(crossing the upper bound at some later look). */
  readonly power: number;
  /** The same for each later look. */
  readonly byLook: number[];
  /** P(crossing the lower bound at some later look); null when one-sided. */
  readonly powerBelow: number | null;
  /** P(z above the last look's bound), averaged over a flat prior for the drift; earlier looks ignored (Spiegelhalter et al. 1986). */
  readonly predictivePower: number;
};

/**
 * @throws RangeError naming the parameter: bounds that do not match fractions, a look with none after it, z or drift not finite
 */
export function conditionalPower(
  input: Looks & {
    /** The look just taken, from 1. */
    readonly look: number;
    readonly z: number;
    /** "null" for none, "trend" for the current estimate z/√t, or the design's. */
    readonly drift: "null" | "trend" | number;
  },
): ConditionalPower {
  const { fractions, upper, lower, look, z } = input;
  requireBounds(fractions, upper, lower);
  requireFinite("z", z);
  const time = fractions[look - 1];
  const last = fractions.at(-1);
  if (time === undefined || last === undefined || look >= fractions.length)
    throw new RangeError(`look must be one from 1 to ${fractions.length - 1}, got ${look}`);
  const trend = z / Math.sqrt(time);
  const drift = input.drift === "null" ? 0 : input.drift === "trend" ? trend : input.drift;
  requireFinite("drift", drift);
  const exits = walk(
    {
      fractions: fractions.slice(look),
      upper: upper.slice(look),
      lower: lower?.slice(look) ?? null,
    },
    drift,
    pointMass(time, z * Math.sqrt(time)),
  );
  const rest = last - time;
  const finalBound = upper.at(-1) ?? Infinity;
  return {
    power: sum(exits.upper),
    byLook: exits.upper,
    powerBelow: lower ? sum(exits.lower) : null,
    predictivePower: normal.sf(
      (finalBound * Math.sqrt(last) - trend * last) / Math.sqrt((rest * last) / time),
    ),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
