/**
 * The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 − P, each from the expansion in which it is not a difference:
 * the power series below x = a + 1, the continued fraction above (Abramowitz & Stegun 1964, 6.5.29 and 6.5.31; Lentz 1976).
 */
import { devianceTerm, stirlingError } from "./log-gamma.ts";

const SQRT_2PI = 2.5066282746310007;
const EPSILON = 1e-17;
const TINY = 1e-300;
const MAX_TERMS = 1_000_000;

/** x^a e^(−x) / Γ(a + 1) for a, x > 0. */
function poissonTerm(a: number, x: number): number {
  return Math.exp(-stirlingError(a) - devianceTerm(a, x)) / (SQRT_2PI * Math.sqrt(a));
}

function lowerBySeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let n = 1; n < MAX_TERMS && term > sum * EPSILON; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return poissonTerm(a, x) * sum;
}

function upperByFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < MAX_TERMS; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = 1 / (numerator * d + b || TINY);
    c = b + numerator / c || TINY;
    const step = c * d;
    value *= step;
    if (Math.abs(step - 1) < 2e-16) break;
  }
  return a * poissonTerm(a, x) * value;
}

/** P(a, x): the lower tail of a gamma variable of shape a > 0. */
export function gammaLower(a: number, x: number): number {
  if (x <= 0) return 0;
  if (x === Infinity) return 1;
  return x < a + 1 ? lowerBySeries(a, x) : 1 - upperByFraction(a, x);
}

/** Q(a, x): the upper tail of a gamma variable of shape a > 0. */
export function gammaUpper(a: number, x: number): number {
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  return x < a + 1 ? 1 - lowerBySeries(a, x) : upperByFraction(a, x);
}

/** The gamma density of shape a at x > 0. */
export function gammaDensity(a: number, x: number): number {
  return (poissonTerm(a, x) * a) / x;
}
