/**
 * The p-value of a group-sequential ledger: the smallest error level whose design, looking at the same times, would have rejected by now
 * (Jennison & Turnbull 2000, section 9.4; Liu & Anderson 2008, JASA 103). Valid at every look, so it may enter Holm's or Hochberg's procedure.
 */
import { requireFinite, requireSameLength, requireSides } from "./check-parameters.ts";
import { brentRoot } from "./find-root.ts";
import { groupSequentialBounds, smallestAlpha } from "./group-sequential-bounds.ts";
import type { GroupSequentialPlan } from "./group-sequential-bounds.ts";
import { requireFractions } from "./looks.ts";
import { normal } from "./normal.ts";

export type SequentialPValue = {
  /** The level that would just have rejected at each look. */
  readonly repeated: number[];
  /** Its running minimum. */
  readonly sequential: number[];
};

/** No level below this is looked for. */
const SMALLEST_P = 1e-14;
const LARGEST_P = 1 - 1e-9;

/**
 * Per look. Two-sided designs take |z|. A ledger needs `repeatedPValue` for its new look alone.
 * @throws RangeError naming the parameter: z not one finite number a look, and as `groupSequentialBounds`
 */
export function sequentialPValue(
  input: Omit<GroupSequentialPlan, "alpha"> & { readonly z: readonly number[] },
): SequentialPValue {
  const { fractions, spendingTime, z } = input;
  requireFractions(fractions);
  requireSameLength("z", z, "fractions", fractions.length);
  const repeated = z.map((value, k) =>
    repeatedPValue({
      ...input,
      fractions: fractions.slice(0, k + 1),
      ...(spendingTime ? { spendingTime: spendingTime.slice(0, k + 1) } : {}),
      z: value,
    }),
  );
  let least = 1;
  const sequential = repeated.map((p) => {
    least = Math.min(least, p);
    return least;
  });
  return { repeated, sequential };
}

/**
 * The level whose bound at the last of the given looks is just reached by z; 1 when none does. Not looked for below 1e-14, nor below the smallest
 * level that has a design (0.0027 two-sided under haybittle-peto with an interim look).
 * @throws RangeError naming the parameter, as `groupSequentialBounds`
 */
export function repeatedPValue(
  input: Omit<GroupSequentialPlan, "alpha"> & { readonly z: number },
): number {
  const { sides, z } = input;
  requireSides(sides);
  requireFinite("z", z);
  const reached = sides === 2 ? Math.abs(z) : z;
  const smallest = Math.max(SMALLEST_P, smallestAlpha(input) * (1 + 1e-12));
  // Positive when a design at this level would not have stopped; on the probit scale, where the bound is nearly linear.
  const missing = (x: number): number => {
    const alpha = Math.max(smallest, sides * normal.sf(x));
    const bound = groupSequentialBounds({ ...input, alpha }).upper.at(-1) ?? Infinity;
    return Math.min(bound, 40) - reached;
  };
  const lower = -normal.quantile(LARGEST_P / sides);
  // A bound is never below its level's fixed critical value: the level sought is at least the nominal p.
  const upper = Math.min(reached, -normal.quantile(smallest / sides));
  if (reached <= lower || missing(lower) > 0) return 1;
  if (missing(upper) <= 0) return sides * normal.sf(upper);
  return sides * normal.sf(brentRoot(missing, { lower, upper, tolerance: 1e-11 }));
}
