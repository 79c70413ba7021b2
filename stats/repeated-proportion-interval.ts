/**
 * The interval for a difference of two proportions that inverts the pooled score test (O. S. Miettinen & M. Nurminen 1985, Stat. Med. 4, without their
 * n/(n − 1); Mee 1984): the differences that a test at the bound would not reject. At a difference of 0 that test is the pooled z itself, so
 * "excludes 0" and "crossed" are one statement.
 */
import type { Interval } from "./comparison.ts";
import { brentRoot } from "./find-root.ts";
import { requireProportion } from "./two-proportion-test.ts";
import type { Proportion } from "./two-proportion-test.ts";

/**
 * Treatment minus control. null when a variant has fewer than two units or the bound is infinite.
 * @throws RangeError for counts that are none or a bound that is not positive
 */
export function repeatedProportionInterval(input: {
  readonly control: Proportion;
  readonly treatment: Proportion;
  /** The look's bound for z; a fixed test's critical value gives the ordinary score interval. */
  readonly bound: number;
}): Interval | null {
  const { control, treatment, bound } = input;
  requireProportion("control", control);
  requireProportion("treatment", treatment);
  if (!(bound > 0)) throw new RangeError(`bound must be positive, got ${bound}`);
  if (bound === Infinity || control.n < 2 || treatment.n < 2) return null;
  const effect = treatment.successes / treatment.n - control.successes / control.n;
  const score = (difference: number): number => {
    const value = (effect - difference) / nullDeviation(control, treatment, difference);
    return Number.isNaN(value) ? 0 : Math.min(Math.max(value, -1e6), 1e6);
  };
  const atZero = score(0);
  return [
    limit((difference) => score(difference) - bound, {
      edge: -1,
      effect,
      zeroInside: atZero < bound,
    }),
    limit((difference) => score(difference) + bound, {
      edge: 1,
      effect,
      zeroInside: atZero > -bound,
    }),
  ];
}

/** The root between the effect and an end of [−1, 1], kept on the side of 0 on which the test has decided. */
function limit(
  excess: (difference: number) => number,
  { edge, effect, zeroInside }: { edge: -1 | 1; effect: number; zeroInside: boolean },
): number {
  if (effect === edge) return edge;
  // 0 lies between the effect and this edge: it splits the search.
  const split = Math.sign(effect) === -edge;
  const from = split && zeroInside ? 0 : effect;
  const to = split && !zeroInside ? 0 : edge * (1 - 1e-12);
  if (excess(to) > 0 === excess(from) > 0) return edge;
  return brentRoot(excess, {
    lower: Math.min(from, to),
    upper: Math.max(from, to),
    tolerance: 1e-13,
  });
}

/** The standard error when the true difference is the given one: rates by restricted maximum likelihood, a cubic solved in closed form. */
function nullDeviation(control: Proportion, treatment: Proportion, difference: number): number {
  const { n: m, successes: x } = control;
  const { n, successes: y } = treatment;
  const total = m + n;
  if (difference === 0) {
    const pooled = (x + y) / total;
    return Math.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n));
  }
  // l3 p³ + l2 p² + l1 p + l0 = 0 with l3 = 1, for the control's rate p, the treatment's being p + difference.
  const l2 = ((n + 2 * m) * difference - total - (x + y)) / total;
  const l1 = ((m * difference - total - 2 * x) * difference + (x + y)) / total;
  const l0 = (x * difference * (1 - difference)) / total;
  const q = (l2 / 3) ** 3 - (l1 * l2) / 6 + l0 / 2;
  const size = Math.sqrt(Math.max(0, (l2 / 3) ** 2 - l1 / 3)) * (q < 0 ? -1 : 1);
  const angle = size === 0 ? 0 : (Math.PI + Math.acos(clamp(q / size ** 3, -1, 1))) / 3;
  const rate = clamp(
    2 * size * Math.cos(angle) - l2 / 3,
    Math.max(0, -difference),
    Math.min(1, 1 - difference),
  );
  const other = clamp(rate + difference, 0, 1);
  return Math.sqrt((rate * (1 - rate)) / m + (other * (1 - other)) / n);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
