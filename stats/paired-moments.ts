/**
 * Moments of two variables measured on the same units: outcome and covariate, or numerator and denominator of a ratio. Merged like `moments`;
 * all second moments share one denominator.
 */
import { requireCount, requireFinite } from "./check-parameters.ts";
import { centredSum, roundingOfSums } from "./moments.ts";

export type PairedMoments = {
  readonly n: number;
  readonly meanY: number;
  readonly meanX: number;
  /** Σ(y − meanY)². */
  readonly m2Y: number;
  /** Σ(x − meanX)². */
  readonly m2X: number;
  /** Σ(x − meanX)(y − meanY). */
  readonly cXY: number;
};

/** What `cuped` and `ratioTest` take: denominators n − 1. y is the outcome or numerator, x the covariate or denominator. */
export type PairedSummary = {
  readonly n: number;
  readonly meanY: number;
  readonly meanX: number;
  readonly varianceY: number;
  readonly varianceX: number;
  readonly covariance: number;
};

/** Running totals as a database keeps them. */
export type PairedSums = {
  readonly n: number;
  readonly sumY: number;
  readonly sumOfSquaresY: number;
  readonly sumX: number;
  readonly sumOfSquaresX: number;
  readonly sumOfProducts: number;
};

const empty: PairedMoments = { n: 0, meanY: 0, meanX: 0, m2Y: 0, m2X: 0, cXY: 0 };

function push(moments: PairedMoments, y: number, x: number): PairedMoments {
  const n = moments.n + 1;
  const differenceY = y - moments.meanY;
  const differenceX = x - moments.meanX;
  const meanY = moments.meanY + differenceY / n;
  const meanX = moments.meanX + differenceX / n;
  return {
    n,
    meanY,
    meanX,
    m2Y: moments.m2Y + differenceY * (y - meanY),
    m2X: moments.m2X + differenceX * (x - meanX),
    cXY: moments.cXY + differenceX * (y - meanY),
  };
}

function merge(a: PairedMoments, b: PairedMoments): PairedMoments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const differenceY = b.meanY - a.meanY;
  const differenceX = b.meanX - a.meanX;
  const weight = (a.n * b.n) / n;
  return {
    n,
    meanY: a.meanY + differenceY * (b.n / n),
    meanX: a.meanX + differenceX * (b.n / n),
    m2Y: a.m2Y + b.m2Y + differenceY * differenceY * weight,
    m2X: a.m2X + b.m2X + differenceX * differenceX * weight,
    cXY: a.cXY + b.cXY + differenceX * differenceY * weight,
  };
}

function from(pairs: Iterable<readonly [y: number, x: number]>): PairedMoments {
  let moments = empty;
  for (const [y, x] of pairs) moments = push(moments, y, x);
  return moments;
}

/**
 * Moments from running totals. A spread smaller than the rounding of the totals counts as none.
 * @throws RangeError when n is not a count or a total is not finite
 */
function fromSums(sums: PairedSums): PairedMoments {
  requireCount("n", sums.n);
  requireFinite("sumY", sums.sumY);
  requireFinite("sumOfSquaresY", sums.sumOfSquaresY);
  requireFinite("sumX", sums.sumX);
  requireFinite("sumOfSquaresX", sums.sumOfSquaresX);
  requireFinite("sumOfProducts", sums.sumOfProducts);
  const { n, sumY, sumX } = sums;
  if (n === 0) return empty;
  const noise = roundingOfSums(n);
  const spreadY = centredSum(n, sumY, sumY, sums.sumOfSquaresY);
  const spreadX = centredSum(n, sumX, sumX, sums.sumOfSquaresX);
  const m2Y = spreadY > noise * sums.sumOfSquaresY ? spreadY : 0;
  const m2X = spreadX > noise * sums.sumOfSquaresX ? spreadX : 0;
  const cXY = centredSum(n, sumX, sumY, sums.sumOfProducts);
  return { n, meanY: sumY / n, meanX: sumX / n, m2Y, m2X, cXY };
}

/**
 * What the tests take of moments: themselves or their summary, checked.
 * @throws RangeError unless n is a count, the moments finite, variances not negative, the covariance within them
 */
export function requirePairedSummary(
  name: string,
  data: PairedSummary | PairedMoments,
): PairedSummary {
  requireCount(`${name}.n`, data.n);
  requireFinite(`${name}.meanY`, data.meanY);
  requireFinite(`${name}.meanX`, data.meanX);
  const { varianceY, varianceX, covariance } =
    "cXY" in data ? { varianceY: data.m2Y, varianceX: data.m2X, covariance: data.cXY } : data;
  const [ofY, ofX, ofBoth] =
    "cXY" in data ? ["m2Y", "m2X", "cXY"] : ["varianceY", "varianceX", "covariance"];
  requireFinite(`${name}.${ofY}`, varianceY);
  requireFinite(`${name}.${ofX}`, varianceX);
  requireFinite(`${name}.${ofBoth}`, covariance);
  if (varianceY < 0) throw new RangeError(`${name}.${ofY} must not be negative`);
  if (varianceX < 0) throw new RangeError(`${name}.${ofX} must not be negative`);
  if ("cXY" in data) return summary(data);
  const limit = Math.sqrt(varianceY) * Math.sqrt(varianceX);
  if (Math.abs(covariance) > limit * (1 + 1e-6))
    throw new RangeError(`${name}.covariance must not exceed what its variances allow`);
  return data;
}

function summary(moments: PairedMoments): PairedSummary {
  const { n, meanY, meanX, m2Y, m2X, cXY } = moments;
  const scale = n > 1 ? 1 / (n - 1) : 0;
  const varianceY = m2Y * scale;
  const varianceX = m2X * scale;
  // Rounding must not leave a correlation beyond ±1.
  const limit = Math.sqrt(varianceY) * Math.sqrt(varianceX);
  const covariance = Math.min(Math.max(cXY * scale, -limit), limit);
  return { n, meanY, meanX, varianceY, varianceX, covariance };
}

export const pairedMoments = { empty, push, merge, from, fromSums, summary };
