/** The smallest difference that a design of given size finds with the wanted power: the sample size formulas solved for the effect. */
import { requirePositive, requireProbability } from "./check-parameters.ts";
import { finiteOrNull } from "./comparison.ts";
import { brentRoot } from "./find-root.ts";
import { criticalValues, requireDesign } from "./fixed-design.ts";
import type { FixedDesign } from "./fixed-design.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";

/** A rate has its variance given by itself; a mean needs its standard deviation. */
export type DetectableMetric =
  | { readonly baseline: number }
  | { readonly standardDeviation: number };

/**
 * An absolute increase, in the metric's unit; null when even a rate of 1 would go unnoticed, or when doubles cannot hold it.
 * @throws RangeError unless control > 0, baseline in (0, 1) or standardDeviation > 0, and for an impossible design
 */
export function minimumDetectableEffect(
  input: FixedDesign &
    DetectableMetric & {
      readonly power: number;
      /** Units in the control at the end. */
      readonly control: number;
    },
): number | null {
  const { control, power } = input;
  requirePositive("control", control);
  const { allocation, inflation } = requireDesign(input);
  const { zAlpha, zPower } = criticalValues(input, power);
  if ("standardDeviation" in input) {
    requirePositive("standardDeviation", input.standardDeviation);
    const error = input.standardDeviation * Math.sqrt(((1 + 1 / allocation) * inflation) / control);
    return finiteOrNull((zAlpha + zPower) * error);
  }
  const { baseline } = input;
  requireProbability("baseline", baseline);
  const excess = (alternative: number): number =>
    Math.log(sampleSizeProportions({ ...input, baseline, alternative }).exactControl / control);
  const least = Math.max(1e-9 * Math.min(baseline, 1 - baseline), Number.EPSILON * baseline);
  const ends = { lower: baseline + least, upper: 1 - Math.min(1e-12, (1 - baseline) / 4) };
  if (!(ends.lower < ends.upper && ends.upper < 1)) return null;
  if (excess(ends.upper) > 0) return null;
  if (excess(ends.lower) < 0) return ends.lower - baseline;
  return brentRoot(excess, { ...ends, tolerance: 1e-15 }) - baseline;
}
