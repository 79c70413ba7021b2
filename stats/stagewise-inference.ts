/**
 * Inference once a group-sequential trial has stopped, by the stage-wise ordering: earlier crossings are more extreme than later ones (Armitage 1957;
 * Fairbanks & Madsen 1982; Tsiatis, Rosner & Mehta 1984; Jennison & Turnbull 2000, sections 8.4 and 8.5). Corrects the bias of stopping early.
 * Valid only for a trial that stopped at its first crossing or at its planned end; otherwise use the repeated interval.
 */
import { requireFinite, requireProbability } from "./check-parameters.ts";
import { walk } from "./exit-probabilities.ts";
import type { Looks } from "./exit-probabilities.ts";
import { brentRoot } from "./find-root.ts";
import { requireBounds } from "./looks.ts";
import { normal } from "./normal.ts";
import { pointMass } from "./sub-density.ts";

export type StagewiseInference = {
  /** Two-sided when the design has a lower bound, else `pUpper`. */
  readonly pValue: number;
  /** P(an outcome at least as far above) without effect. */
  readonly pUpper: number;
  readonly pLower: number;
  /** The drift under which the outcome is its own median. */
  readonly medianUnbiased: number;
  /** For the drift. */
  readonly confidenceInterval: readonly [lower: number, upper: number];
};

/**
 * On the drift scale: multiply by the standard error at fraction 1 for the metric's unit.
 * @throws RangeError naming the parameter: bounds that do not match fractions, a stopLook that is none of them, z not finite, level outside (0, 1)
 */
export function stagewiseInference(
  input: Looks & {
    /** The look at which the trial stopped, from 1. */
    readonly stopLook: number;
    readonly z: number;
    /** Of the interval. */
    readonly level: number;
  },
): StagewiseInference {
  const { fractions, upper, lower, stopLook, z, level } = input;
  requireBounds(fractions, upper, lower);
  requireFinite("z", z);
  requireProbability("level", level);
  const time = fractions[stopLook - 1];
  if (time === undefined)
    throw new RangeError(`stopLook must be a look from 1 to ${fractions.length}, got ${stopLook}`);

  // Every path still running at the stop is split at z: above it or below it.
  const seen: Looks = {
    fractions: fractions.slice(0, stopLook),
    upper: [...upper.slice(0, stopLook - 1), z],
    lower: [...(lower ?? upper.map(() => -Infinity)).slice(0, stopLook - 1), z],
  };
  const tails = (drift: number): { above: number; below: number } => {
    const exits = walk(seen, drift, pointMass(0, 0));
    return { above: Math.min(1, sum(exits.upper)), below: Math.min(1, sum(exits.lower)) };
  };
  const { above: pUpper, below: pLower } = tails(0);

  // On the probit scale the tail is nearly linear in the drift, exactly so at look 1.
  const probit = (drift: number): number => {
    const { above, below } = tails(drift);
    return above < below ? normal.quantile(above) : -normal.quantile(below);
  };
  const scale = 1 / Math.sqrt(time);
  const driftAt = (target: number): number => {
    const excess = (drift: number): number => {
      const value = probit(drift) - target;
      return Math.min(Math.max(value, -1e3), 1e3);
    };
    const guess = (z + target) * scale;
    let width = scale;
    while (excess(guess - width) > 0) width *= 2;
    const bottom = guess - width;
    width = scale;
    while (excess(guess + width) < 0) width *= 2;
    return brentRoot(excess, { lower: bottom, upper: guess + width, tolerance: 1e-11 * scale });
  };
  const critical = -normal.quantile((1 - level) / 2);
  return {
    pValue: lower ? Math.min(1, 2 * Math.min(pUpper, pLower)) : pUpper,
    pUpper,
    pLower,
    medianUnbiased: driftAt(0),
    confidenceInterval: [driftAt(-critical), driftAt(critical)],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
