/**
 * Units needed to tell two means apart by a given difference, by the normal formula n = (z_α + z_β)² σ² (1 + 1/r) / δ². For fewer than some
 * fifty units a variant use `powerMeans`, which knows the t distribution: it asks for about one unit more.
 */
import { requirePositive } from "./check-parameters.ts";
import { allocate, criticalValues, requireDesign } from "./fixed-design.ts";
import type { FixedDesign, SampleSize } from "./fixed-design.ts";

/** @throws RangeError unless difference is finite and not 0, standardDeviation positive, and for an impossible design */
export function sampleSizeMeans(
  input: FixedDesign & {
    readonly power: number;
    /** Of a unit, the same in every variant. */
    readonly standardDeviation: number;
    /** Treatment minus control that should be found, in the metric's unit. */
    readonly difference: number;
  },
): SampleSize {
  const { standardDeviation, difference, power } = input;
  requirePositive("standardDeviation", standardDeviation);
  requirePositive("difference", Math.abs(difference));
  const { allocation } = requireDesign(input);
  const { zAlpha, zPower } = criticalValues(input, power);
  const root = ((zAlpha + zPower) * standardDeviation) / difference;
  const size = allocate(root * root * (1 + 1 / allocation), input);
  if (!Number.isFinite(size.total))
    throw new RangeError(`difference must not vanish beside standardDeviation, got ${difference}`);
  return size;
}
