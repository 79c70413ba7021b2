/** The chi-square distribution with any positive real degrees of freedom, from the incomplete gamma functions; both tails exact. */
import { requireNumber, requirePositive } from "./check-parameters.ts";
import { newtonRoot } from "./find-root.ts";
import { gammaDensity, gammaLower, gammaUpper } from "./incomplete-gamma.ts";
import { logGamma } from "./log-gamma.ts";
import { normal } from "./normal.ts";

/** P(X ≤ x). @throws RangeError for an x of NaN, or unless df > 0 */
function cdf(x: number, df: number): number {
  requireNumber("x", x);
  requirePositive("df", df);
  return gammaLower(df / 2, x / 2);
}

/** P(X > x). @throws RangeError for an x of NaN, or unless df > 0 */
function sf(x: number, df: number): number {
  requireNumber("x", x);
  requirePositive("df", df);
  return gammaUpper(df / 2, x / 2);
}

/**
 * x with P(X ≤ x) = p: Newton on the logarithm of the smaller tail in log x, from the Wilson–Hilferty (1931) approximation.
 * @throws RangeError unless 0 ≤ p ≤ 1 and df > 0
 */
function quantile(p: number, df: number): number {
  requirePositive("df", df);
  const z = normal.quantile(p);
  if (p === 0) return 0;
  if (p === 1) return Infinity;
  const a = df / 2;
  const cube = 1 - 2 / (9 * df) + z * Math.sqrt(2 / (9 * df));
  // P(a, x) ≈ x^a / Γ(a + 1) near 0, where Wilson–Hilferty fails.
  const small = (Math.log(p) + logGamma(a + 1)) / a;
  const start = cube > 0.3 ? Math.log((df / 2) * cube ** 3) : small;
  const lowerTail = p < 0.5;
  const target = Math.log(lowerTail ? p : 1 - p);
  const logHalf = newtonRoot({
    evaluate: (log) => {
      const half = Math.exp(log);
      const tail = lowerTail ? gammaLower(a, half) : gammaUpper(a, half);
      const slope = (gammaDensity(a, half) * half) / tail;
      return [Math.log(tail) - target, lowerTail ? slope : -slope];
    },
    lower: Math.min(small, start) - 1,
    upper: Math.log(a + 40 * Math.sqrt(a) + 800),
    start,
    increasing: lowerTail,
  });
  return 2 * Math.exp(logHalf);
}

export const chiSquare = { cdf, sf, quantile };
