/** What a given set of bounds needs and costs: the drift that gives a power, and the information spent on average. */
import { requireProbability } from "./check-parameters.ts";
import { exitProbabilities } from "./exit-probabilities.ts";
import type { Looks } from "./exit-probabilities.ts";
import { brentRoot } from "./find-root.ts";

/**
 * The drift (E[Z] at fraction 1) under which the looks stop above with the given probability. A fixed test of n units has the drift
 * z_α + z_power, so the square of their ratio is the design's inflation factor.
 * @throws RangeError as `exitProbabilities`; power outside (0, 1), or not above what no drift gives
 */
export function driftForPower(design: Looks & { readonly power: number }): number {
  return solveDrift(() => design, design.power);
}

/** The same when the bounds themselves depend on the drift, as those for futility do. */
export function solveDrift(designAt: (drift: number) => Looks, power: number): number {
  requireProbability("power", power);
  const shortOf = (drift: number): number => {
    const { upper } = exitProbabilities({ ...designAt(drift), drift });
    return upper.reduce((total, p) => total + p, 0) - power;
  };
  if (shortOf(0) >= 0) throw new RangeError(`power must exceed the error of a side, got ${power}`);
  let upper = 4;
  while (shortOf(upper) < 0) {
    upper *= 2;
    if (upper > 1e4) throw new RangeError(`power cannot be reached by these bounds, got ${power}`);
  }
  return brentRoot(shortOf, { lower: 0, upper, tolerance: 1e-12 });
}

/** Information at the stop on average, on the scale of the fractions: Σ t_k P(stop at k), all that is left stopping at the last look. @throws RangeError as `exitProbabilities` */
export function expectedFraction(design: Looks & { readonly drift: number }): number {
  const exits = exitProbabilities(design);
  let running = 1;
  let before = 0;
  let expected = 0;
  design.fractions.forEach((fraction, k) => {
    expected += running * (fraction - before);
    running -= exits.total[k] ?? 0;
    before = fraction;
  });
  return expected;
}
