/**
 * Units needed to tell two proportions apart: the normal approximation whose null variance is pooled (Fleiss, Levin & Paik 2003, section 4.2; the
 * formula of R's power.prop.test). Unequal allocation, several treatments and group-sequential inflation included.
 */
import { requireProbability } from "./check-parameters.ts";
import { allocate, criticalValues, requireDesign } from "./fixed-design.ts";
import type { FixedDesign, SampleSize } from "./fixed-design.ts";

/**
 * @throws RangeError unless both rates lie in (0, 1) and differ, and for an impossible design
 */
export function sampleSizeProportions(
  input: FixedDesign & {
    readonly power: number;
    /** The control's rate. */
    readonly baseline: number;
    /** The treatment's rate that should be found. */
    readonly alternative: number;
  },
): SampleSize {
  const { baseline, alternative, power } = input;
  requireProbability("baseline", baseline);
  requireProbability("alternative", alternative);
  if (baseline === alternative)
    throw new RangeError(`alternative must differ from baseline, got ${alternative}`);
  const { allocation } = requireDesign(input);
  const { zAlpha, zPower } = criticalValues(input, power);
  const root =
    zAlpha * nullDeviation(baseline, alternative, allocation) +
    zPower * alternativeDeviation(baseline, alternative, allocation);
  return allocate((root / (alternative - baseline)) ** 2, input);
}

/** √n_control times the standard error of the difference, if both rates were the pooled one. */
export function nullDeviation(control: number, treatment: number, allocation: number): number {
  const pooled = (control + allocation * treatment) / (1 + allocation);
  return Math.sqrt(pooled * (1 - pooled) * (1 + 1 / allocation));
}

/** √n_control times the standard error of the difference at the given rates. */
export function alternativeDeviation(
  control: number,
  treatment: number,
  allocation: number,
): number {
  return Math.sqrt(control * (1 - control) + (treatment * (1 - treatment)) / allocation);
}
