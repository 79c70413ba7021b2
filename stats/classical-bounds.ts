/**
 * The classical group-sequential bounds, fixed for a schedule that is kept: O'Brien & Fleming (1979), Pocock (1977) and the family of
 * Wang & Tsiatis (1987) between and beyond them. Looks at other times need `groupSequentialBounds`.
 */
import { requireProbability, requireSides } from "./check-parameters.ts";
import { walk } from "./exit-probabilities.ts";
import { brentRoot } from "./find-root.ts";
import { requireFractions } from "./looks.ts";
import { normal } from "./normal.ts";
import { pointMass } from "./sub-density.ts";

export type ClassicalType = "obrien-fleming" | "pocock" | { readonly wangTsiatis: number };

export type ClassicalBounds = {
  /** The bound of the last look, from which the others follow. */
  readonly constant: number;
  readonly upper: number[];
  /** The mirror image, or null when one-sided. */
  readonly lower: number[] | null;
};

const SMALLEST_CONSTANT = 1e-9;

/**
 * Bounds constant · (t_k / t_K)^(Δ − ½) that spend exactly alpha: Δ is 0 for O'Brien–Fleming, ½ for Pocock. Error of the constant below 1e-12.
 * @throws RangeError naming the parameter: fractions that do not increase, alpha outside (0, 1), a Δ outside [−10, 10]; alpha so large that the bounds would not be positive
 */
export function classicalBounds(input: {
  readonly type: ClassicalType;
  readonly fractions: readonly number[];
  /** Both sides together. */
  readonly alpha: number;
  readonly sides: 1 | 2;
}): ClassicalBounds {
  const { fractions, alpha, sides } = input;
  requireFractions(fractions);
  requireProbability("alpha", alpha);
  requireSides(sides);
  const delta = shapeOf(input.type);
  const last = fractions.at(-1) ?? 1;
  const shape = fractions.map((fraction) => (fraction / last) ** (delta - 0.5));
  const boundsAt = (constant: number): ClassicalBounds => {
    const upper = shape.map((factor) => constant * factor);
    return { constant, upper, lower: sides === 2 ? upper.map((bound) => -bound) : null };
  };
  const excess = (constant: number): number => {
    const exits = walk({ fractions, ...boundsAt(constant) }, 0, pointMass(0, 0));
    return Math.log(exits.total.reduce((sum, p) => sum + p, 0) / alpha);
  };
  if (!(excess(SMALLEST_CONSTANT) > 0))
    throw new RangeError(`alpha must leave room for positive bounds, got ${alpha}`);
  // Fewer errors than a single look at the last bound, and no more than if every look were alone.
  const lower = Math.max(-normal.quantile(alpha / sides), SMALLEST_CONSTANT);
  let upper = lower + 1;
  while (excess(upper) > 0) upper *= 2;
  return boundsAt(
    fractions.length === 1 ? lower : brentRoot(excess, { lower, upper, tolerance: 1e-14 }),
  );
}

function shapeOf(type: ClassicalType): number {
  if (type === "obrien-fleming") return 0;
  if (type === "pocock") return 0.5;
  if (!(Math.abs(type.wangTsiatis) <= 10))
    throw new RangeError(`type.wangTsiatis must lie between -10 and 10, got ${type.wangTsiatis}`);
  return type.wangTsiatis;
}
