/**
 * The regularised incomplete beta function by the continued fraction of A. R. DiDonato and A. H. Morris (1992, "Algorithm 708",
 * ACM TOMS 18, eq. 9), evaluated by Lentz's method (1976). Both x and 1 − x are taken, so that neither tail is formed as a difference
 * and a − (a + b)x keeps its digits when a is a million.
 */
import { devianceTerm, stirlingError } from "./log-gamma.ts";

const SQRT_2PI = 2.5066282746310007;
const TINY = 1e-300;
const MAX_TERMS = 1_000_000;

/** x^a y^b / B(a, b) where y = 1 − x. */
function powerTerm(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  const exponent =
    stirlingError(n) -
    stirlingError(a) -
    stirlingError(b) -
    devianceTerm(a, n * x) -
    devianceTerm(b, n * y);
  return (Math.exp(exponent) * Math.sqrt(a) * Math.sqrt(b / n)) / SQRT_2PI;
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

/** The beta density at 0 < x < 1, with y = 1 − x. */
export function betaDensity(a: number, b: number, x: number, y: number): number {
  return powerTerm(a, b, x, y) / (x * y);
}
