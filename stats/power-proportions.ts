/** The power of the pooled test of two proportions at a given size, by the formula that `sampleSizeProportions` inverts. */
import { requirePositive, requireProbability } from "./check-parameters.ts";
import { requireDesign, sideDeviate } from "./fixed-design.ts";
import type { FixedDesign } from "./fixed-design.ts";
import { normal } from "./normal.ts";
import { alternativeDeviation, nullDeviation } from "./sample-size-proportions.ts";

/**
 * The chance of finding the difference in its direction.
 * @throws RangeError unless both rates lie in (0, 1), control > 0, and for an impossible design
 */
export function powerProportions(
  input: FixedDesign & {
    /** Units in the control at the end; need not be whole. */
    readonly control: number;
    readonly baseline: number;
    readonly alternative: number;
  },
): number {
  const { control, baseline, alternative } = input;
  requirePositive("control", control);
  requireProbability("baseline", baseline);
  requireProbability("alternative", alternative);
  const { allocation, inflation } = requireDesign(input);
  const reached = Math.abs(alternative - baseline) * Math.sqrt(control / inflation);
  const needed = sideDeviate(input) * nullDeviation(baseline, alternative, allocation);
  return normal.sf((needed - reached) / alternativeDeviation(baseline, alternative, allocation));
}
