/**
 * The regularised incomplete beta function by the continued fraction of A. R. DiDonato and A. H. Morris (1992, "Algorithm 708",
 * ACM TOMS 18, eq. 9), evaluated by Lentz's method (1976). Both x and 1 − x are taken, so that neither tail is formed as a difference
 * and a − (a + b)x keeps its digits when a is a million.
 */
import { devianceTerm, stirlingError } from "./log-gamma.ts";

const SQRT_2PI = 2.5066282746310007;
const TINY = 1e-300;
const MAX_TERMS = 1_000_000;

/** The parameters a and b, with what does not depend on x. */
export type BetaShape = {
  readonly a: number;
  readonly b: number;
  readonly stirling: number;
  readonly rootA: number;
  readonly rootB: number;
};

export function betaShape(a: number, b: number): BetaShape {
  return {
    a,
    b,
    stirling: stirlingError(a + b) - stirlingError(a) - stirlingError(b),
    rootA: Math.sqrt(a),
    rootB: Math.sqrt(b / (a + b)),
  };
}

/** x^a y^b / B(a, b) where y = 1 − x. */
export function betaPower(
  { a, b, stirling, rootA, rootB }: BetaShape,
  x: number,
  y: number,
): number {
  const n = a + b;
  const exponent = stirling - devianceTerm(a, n * x) - devianceTerm(b, n * y);
  return (Math.exp(exponent) * rootA * rootB) / SQRT_2PI;
}

function powerTerm(a: number, b: number, x: number, y: number): number {
  return betaPower(betaShape(a, b), x, y);
}

/** The continued fraction's value, so that I_x(a, b) = powerTerm / fraction; meant for x below the mean a / (a + b). */
function fraction(a: number, b: number, x: number, y: number): number {
  const distance = a * y - b * x + 1;
  let value = (a * distance) / (a + 1);
  let c = value;
  let d = 0;
  for (let m = 1; m < MAX_TERMS; m++) {
    const s = a + 2 * m - 1;
    const numerator = (((a + m - 1) * (a + b + m - 1)) / s) * ((m * (b - m)) / s) * x * x;
    const term = m + (m * (b - m) * x) / s + ((a + m) * (distance + m * (1 + y))) / (s + 2);
    d = 1 / (term + numerator * d || TINY);
    c = term + numerator / c || TINY;
    const step = c * d;
    value *= step;
    if (Math.abs(step - 1) < 2e-16) break;
  }
  return value;
}

/**
 * I_x(a, b), the lower tail of a beta variable with a, b > 0.
 * `y` is 1 − x, given apart so that an x near 1 keeps its digits; the upper tail is `incompleteBeta(b, a, y, x)`.
 */
export function incompleteBeta(a: number, b: number, x: number, y: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  return b * x <= a * y
    ? powerTerm(a, b, x, y) / fraction(a, b, x, y)
    : 1 - powerTerm(b, a, y, x) / fraction(b, a, y, x);
}

/** Both tails of a beta variable, and `betaPower`: one continued fraction for the three of them. */
export type BetaTails = {
  readonly lower: number;
  readonly upper: number;
  readonly power: number;
};

/** At 0 < x < 1, with y = 1 − x; the larger tail is one less the smaller. */
export function betaTails(shape: BetaShape, x: number, y: number): BetaTails {
  const { a, b } = shape;
  const power = betaPower(shape, x, y);
  if (b * x <= a * y) {
    const lower = power / fraction(a, b, x, y);
    return { lower, upper: 1 - lower, power };
  }
  const upper = power / fraction(b, a, y, x);
  return { lower: 1 - upper, upper, power };
}

/** The beta density at 0 < x < 1, with y = 1 − x. */
export function betaDensity(a: number, b: number, x: number, y: number): number {
  return powerTerm(a, b, x, y) / (x * y);
}
