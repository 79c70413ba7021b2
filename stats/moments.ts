/**
 * Count, mean and sum of squared deviations of one variable, kept so that shards may be merged in any order (B. P. Welford 1962; Chan, Golub &
 * LeVeque 1983, The American Statistician 37). No digits are lost when the mean is large beside the spread.
 */
import { requireCount, requireFinite } from "./check-parameters.ts";

export type Moments = {
  readonly n: number;
  /** 0 when n is 0. */
  readonly mean: number;
  /** Σ(y − mean)². */
  readonly m2: number;
};

/** What the tests take: the variance has the denominator n − 1 and is 0 below n = 2. */
export type Summary = {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
};

/** Running totals as a database keeps them. */
export type Sums = {
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
};

const empty: Moments = { n: 0, mean: 0, m2: 0 };

function push(moments: Moments, value: number): Moments {
  const n = moments.n + 1;
  const difference = value - moments.mean;
  const mean = moments.mean + difference / n;
  return { n, mean, m2: moments.m2 + difference * (value - mean) };
}

function merge(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const difference = b.mean - a.mean;
  return {
    n,
    mean: a.mean + difference * (b.n / n),
    m2: a.m2 + b.m2 + difference * difference * ((a.n * b.n) / n),
  };
}

function from(values: Iterable<number>): Moments {
  let moments = empty;
  for (const value of values) moments = push(moments, value);
  return moments;
}

/**
 * Moments from running totals. A spread that is smaller than the rounding of the totals themselves counts as none (m2 = 0).
 * @throws RangeError when n is not a count or a total is not finite
 */
function fromSums(sums: Sums): Moments {
  requireCount("n", sums.n);
  requireFinite("sum", sums.sum);
  requireFinite("sumOfSquares", sums.sumOfSquares);
  if (sums.n === 0) return empty;
  const spread = centredSum(sums.n, sums.sum, sums.sum, sums.sumOfSquares);
  const noise = roundingOfSums(sums.n) * sums.sumOfSquares;
  return { n: sums.n, mean: sums.sum / sums.n, m2: spread > noise ? spread : 0 };
}

/** What the tests take of moments: themselves or their summary, checked. @throws RangeError for an n that is no count, a mean or spread that is not finite, a negative spread */
export function requireSummary(name: string, data: Summary | Moments): Summary {
  requireCount(`${name}.n`, data.n);
  requireFinite(`${name}.mean`, data.mean);
  const [field, spread] = "m2" in data ? ["m2", data.m2] : ["variance", data.variance];
  requireFinite(`${name}.${field}`, spread);
  if (spread < 0) throw new RangeError(`${name}.${field} must not be negative, got ${spread}`);
  return "m2" in data ? summary(data) : data;
}

function summary(moments: Moments): Summary {
  return {
    n: moments.n,
    mean: moments.mean,
    variance: moments.n > 1 ? moments.m2 / (moments.n - 1) : 0,
  };
}

export const moments = { empty, push, merge, from, fromSums, summary };

/** The relative error that n additions of doubles may have left in their total. */
export function roundingOfSums(n: number): number {
  return 4 * Number.EPSILON * Math.sqrt(n);
}

/** Σxy − Σx Σy / n with the product carried to twice the precision, so that only the totals' own rounding is left. */
export function centredSum(n: number, sumX: number, sumY: number, sumOfProducts: number): number {
  const meanY = sumY / n;
  const [high, low] = exactProduct(sumX, meanY);
  const [backHigh, backLow] = exactProduct(n, meanY);
  const rest = (sumX / n) * (sumY - backHigh - backLow);
  return sumOfProducts - high - low - rest;
}

/** a · b as the unevaluated sum of two doubles (T. J. Dekker 1971). */
function exactProduct(a: number, b: number): readonly [number, number] {
  const product = a * b;
  const splitter = 134217729;
  const aHigh = a * splitter - (a * splitter - a);
  const bHigh = b * splitter - (b * splitter - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return [product, aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)];
}
