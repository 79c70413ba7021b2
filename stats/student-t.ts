/** Student's t distribution with any positive real degrees of freedom, from the incomplete beta function; both tails exact. */
import { requireNumber, requirePositive } from "./check-parameters.ts";
import { newtonRoot } from "./find-root.ts";
import { betaDensity, incompleteBeta } from "./incomplete-beta.ts";
import { logGamma } from "./log-gamma.ts";
import { normal } from "./normal.ts";

/** From here a square may leave the doubles, and the tail is the leading term of its series to the last digit. */
const FAR = 1e100;

/** P(|T| > |t|). */
function twoTails(t: number, df: number): number {
  const size = Math.abs(t);
  if (size > FAR) {
    const power = (Math.sqrt(df) / size) ** df;
    const factor = logGamma((df + 1) / 2) - logGamma(df / 2 + 1) - Math.log(Math.PI) / 2;
    return power === 0 ? 0 : power * Math.exp(factor);
  }
  const square = t * t;
  return incompleteBeta(df / 2, 0.5, df / (df + square), square / (df + square));
}

/** P(|T| ≤ |t|). */
function centre(t: number, df: number): number {
  const square = t * t;
  if (square === Infinity) return 1;
  return incompleteBeta(0.5, df / 2, square / (df + square), df / (df + square));
}

/** From here the distribution is the normal one to the last digit, wherever that has a tail. */
const NORMAL_FROM_DF = 1e18;

/** P(T > t). @throws RangeError for a t of NaN, or unless df > 0 */
function sf(t: number, df: number): number {
  requireNumber("t", t);
  requirePositive("df", df);
  if (df > NORMAL_FROM_DF) return normal.sf(t);
  if (t * t < 0.5) return 0.5 - (Math.sign(t) * centre(t, df)) / 2;
  const tail = twoTails(t, df) / 2;
  return t > 0 ? tail : 1 - tail;
}

/** P(T ≤ t). @throws RangeError for a t of NaN, or unless df > 0 */
function cdf(t: number, df: number): number {
  return sf(-t, df);
}

/** The density at t > 0. */
function density(t: number, df: number): number {
  if (t > FAR) return (df * twoTails(t, df)) / (2 * t);
  const square = t * t;
  const x = df / (df + square);
  const y = square / (df + square);
  return (betaDensity(df / 2, 0.5, x, y) * x * y) / t;
}

/**
 * t with P(T ≤ t) = p: Newton in log t on the logarithm of the probability, of the two tails together or, near the median, of the centre,
 * started from the leading terms of the Cornish–Fisher expansion (Abramowitz & Stegun 1964, 26.7.5) or of the power tail.
 * @throws RangeError unless 0 ≤ p ≤ 1 and df > 0
 */
function quantile(p: number, df: number): number {
  requirePositive("df", df);
  const deviate = normal.quantile(p);
  if (df > NORMAL_FROM_DF) return deviate;
  const z = Math.abs(deviate);
  if (p === 0.5) return 0;
  const sign = p < 0.5 ? -1 : 1;
  const tail = p < 0.5 ? p : 1 - p;
  if (tail === 0) return sign * Infinity;
  const nearMedian = tail > 0.25;
  const target = Math.log(nearMedian ? 2 * Math.abs(p - 0.5) : 2 * tail);
  const cornishFisher =
    z + (z ** 3 + z) / (4 * df) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df ** 2);
  const start = z * z < df ? Math.log(cornishFisher) : -(target / df) + Math.log(df) / 2;
  // Beyond the largest double.
  if (start > 709) return sign * Infinity;
  const log = newtonRoot({
    evaluate: (u) => {
      const t = Math.exp(u);
      const probability = nearMedian ? centre(t, df) : twoTails(t, df);
      const slope = (2 * density(t, df) * t) / probability;
      return [Math.log(probability) - target, nearMedian ? slope : -slope];
    },
    lower: -700,
    upper: 709,
    start,
    increasing: nearMedian,
  });
  return sign * Math.exp(log);
}

export const studentT = { cdf, sf, quantile };
