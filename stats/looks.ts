/** Checks shared by every group-sequential method: information fractions that can be walked, bounds that match them. */
import { requireSameLength } from "./check-parameters.ts";

/** Below this share of the information at hand a new look adds nothing that a bound could be solved from. */
const SMALLEST_INCREMENT = 1e-6;

/** @throws RangeError unless fractions are positive, finite and increasing by at least a millionth of themselves */
export function requireFractions(fractions: readonly number[]): void {
  if (fractions.length === 0) throw new RangeError("fractions must name at least one look");
  let before = 0;
  for (const fraction of fractions) {
    if (!(fraction > 0 && fraction < Infinity))
      throw new RangeError(`fractions must be positive finite numbers, got ${fraction}`);
    if (!(fraction - before > SMALLEST_INCREMENT * fraction))
      throw new RangeError(`fractions must increase, got ${fraction} after ${before}`);
    before = fraction;
  }
}

/** @throws RangeError unless both bounds have one number a look and leave room between them */
export function requireBounds(
  fractions: readonly number[],
  upper: readonly number[],
  lower: readonly number[] | null,
): void {
  requireFractions(fractions);
  requireSameLength("upper", upper, "fractions", fractions.length);
  if (lower) requireSameLength("lower", lower, "fractions", fractions.length);
  upper.forEach((bound, k) => {
    if (Number.isNaN(bound)) throw new RangeError(`upper must hold numbers, got ${bound}`);
    const below = lower?.[k] ?? -Infinity;
    if (Number.isNaN(below) || below > bound)
      throw new RangeError(
        `lower must not exceed upper, got ${below} above ${bound} at look ${k + 1}`,
      );
  });
}
