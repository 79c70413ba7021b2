/** What every sample size and power calculation shares: error rates, how units are split, how many treatments share the error. */
import { requireProbability, requireSides } from "./check-parameters.ts";
import { normal } from "./normal.ts";

export type FixedDesign = {
  /** Family-wise error, divided equally among the treatments. */
  readonly alpha: number;
  /** Default 2. */
  readonly sides?: 1 | 2;
  /** Units of each treatment per unit of the control; default 1. */
  readonly allocation?: number;
  /** Treatments compared with the one control; default 1. */
  readonly treatments?: number;
  /** `inflationFactor` of a group-sequential design; default 1. */
  readonly inflation?: number;
};

export type SampleSize = {
  /** Units in the control, rounded up. */
  readonly control: number;
  /** Units in each treatment, rounded up. */
  readonly treatment: number;
  /** Control and all treatments. */
  readonly total: number;
  /** The control's units before rounding. */
  readonly exactControl: number;
};

const LARGEST_FACTOR = 1e9;

/** The design with its defaults. @throws RangeError naming what is impossible */
export function requireDesign(design: FixedDesign): Required<FixedDesign> {
  const { alpha, sides = 2, allocation = 1, treatments = 1, inflation = 1 } = design;
  requireProbability("alpha", alpha);
  requireSides(sides);
  if (!(allocation >= 1 / LARGEST_FACTOR && allocation <= LARGEST_FACTOR))
    throw new RangeError(`allocation must lie between 1e-9 and 1e9, got ${allocation}`);
  if (!Number.isSafeInteger(treatments) || treatments < 1)
    throw new RangeError(`treatments must be a positive integer, got ${treatments}`);
  if (!(inflation >= 1 && inflation <= LARGEST_FACTOR))
    throw new RangeError(`inflation must lie between 1 and 1e9, got ${inflation}`);
  return { alpha, sides, allocation, treatments, inflation };
}

/** The normal deviate of one side's error in one comparison. */
export function sideDeviate(design: FixedDesign): number {
  const { alpha, sides, treatments } = requireDesign(design);
  return -normal.quantile(alpha / treatments / sides);
}

/** Normal deviates of that error and of the power. @throws RangeError unless power lies between the two */
export function criticalValues(
  design: FixedDesign,
  power: number,
): { zAlpha: number; zPower: number } {
  const { alpha, sides, treatments } = requireDesign(design);
  if (!(power > alpha / treatments / sides && power < 1))
    throw new RangeError(`power must lie between the error of a side and 1, got ${power}`);
  return { zAlpha: sideDeviate(design), zPower: normal.quantile(power) };
}

/** Whole units for a fixed-sample need of the control, inflated. */
export function allocate(control: number, design: FixedDesign): SampleSize {
  const { allocation, treatments, inflation } = requireDesign(design);
  const exactControl = control * inflation;
  const inControl = Math.ceil(exactControl);
  const inTreatment = Math.ceil(exactControl * allocation);
  return {
    control: inControl,
    treatment: inTreatment,
    total: inControl + treatments * inTreatment,
    exactControl,
  };
}
