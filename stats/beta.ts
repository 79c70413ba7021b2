/** The beta distribution with positive real parameters a and b, from the incomplete beta function; both tails exact. */
import { requireNumber, requirePositive } from "./check-parameters.ts";
import { newtonRoot } from "./find-root.ts";
import { betaDensity, incompleteBeta } from "./incomplete-beta.ts";

function requireShape(a: number, b: number): void {
  requirePositive("a", a);
  requirePositive("b", b);
}

/** P(X ≤ x). @throws RangeError for an x of NaN, or unless a, b > 0 */
function cdf(x: number, a: number, b: number): number {
  requireNumber("x", x);
  requireShape(a, b);
  return incompleteBeta(a, b, x, 1 - x);
}

/** P(X > x). @throws RangeError for an x of NaN, or unless a, b > 0 */
function sf(x: number, a: number, b: number): number {
  requireNumber("x", x);
  requireShape(a, b);
  return incompleteBeta(b, a, 1 - x, x);
}

/**
 * x with P(X ≤ x) = p: Newton on the logarithm of the smaller tail in the logit of x, whose ends never round to 0 or 1 early.
 * @throws RangeError unless 0 ≤ p ≤ 1 and a, b > 0
 */
function quantile(p: number, a: number, b: number): number {
  requireShape(a, b);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must lie between 0 and 1, got ${p}`);
  if (p === 0 || p === 1) return p;
  const lowerTail = p < 0.5;
  const target = Math.log(lowerTail ? p : 1 - p);
  const logit = newtonRoot({
    evaluate: (u) => {
      const x = 1 / (1 + Math.exp(-u));
      const y = 1 / (1 + Math.exp(u));
      const tail = lowerTail ? incompleteBeta(a, b, x, y) : incompleteBeta(b, a, y, x);
      if (tail === 0) return [-Infinity, lowerTail ? 1 : -1];
      const slope = (betaDensity(a, b, x, y) * x * y) / tail;
      return [Math.log(tail) - target, lowerTail ? slope : -slope];
    },
    lower: -700,
    upper: 700,
    start: Math.log(a / b),
    increasing: lowerTail,
  });
  return 1 / (1 + Math.exp(-logit));
}

export const beta = { cdf, sf, quantile };
