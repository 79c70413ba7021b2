/**
 * The standard normal distribution, accurate in both tails: `cdf(-z)` and `sf(z)` are never formed as a difference from 1.
 * Tail areas by W. J. Cody (1969), "Rational Chebyshev approximations for the error function", Math. Comp. 23;
 * quantile by M. J. Wichura (1988), algorithm AS 241 (PPND16), Applied Statistics 37.
 */
import { requireNumber } from "./check-parameters.ts";

const INV_SQRT_2PI = 0.3989422804014327;

/** Numerator and denominator from the highest power down; the denominator's leading 1 included. */
type Rational = { readonly numerator: readonly number[]; readonly denominator: readonly number[] };

// Cody's three ranges, scaled from erf(x) to the normal variable z = x√2.
const CENTRE: Rational = {
  numerator: [
    0.065682337918207449113, 2.2352520354606839287, 161.02823106855587881, 1067.6894854603709582,
    18154.981253343561249,
  ],
  denominator: [
    1, 47.20258190468824187, 976.09855173777669322, 10260.932208618978205, 45507.789335026729956,
  ],
};
const MIDDLE: Rational = {
  numerator: [
    1.0765576773720192317e-8, 0.39894151208813466764, 8.8831497943883759412, 93.506656132177855979,
    597.27027639480026226, 2494.5375852903726711, 6848.1904505362823326, 11602.651437647350124,
    9842.7148383839780218,
  ],
  denominator: [
    1, 22.266688044328115691, 235.38790178262499861, 1519.377599407554805, 6485.558298266760755,
    18615.571640885098091, 34900.952721145977266, 38912.003286093271411, 19685.429676859990727,
  ],
};
const TAIL: Rational = {
  numerator: [
    0.02307344176494017303, 0.21589853405795699, 0.1274011611602473639, 0.022235277870649807,
    0.001421619193227893466, 2.9112874951168792e-5,
  ],
  denominator: [
    1, 1.28426009614491121, 0.468238212480865118, 0.0659881378689285515, 0.00378239633202758244,
    7.29751555083966205e-5,
  ],
};

// Wichura's three ranges.
const QUANTILE_CENTRE: Rational = {
  numerator: [
    2.509080928730122672e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
    1.3314166789178437745e2, 3.387132872796366608,
  ],
  denominator: [
    5.226495278852854561e3, 2.8729085735721942674e4, 3.930789580009271061e4,
    2.1213794301586595867e4, 5.3941960214247511077e3, 6.871870074920579083e2,
    4.2313330701600911252e1, 1,
  ],
};
const QUANTILE_MIDDLE: Rational = {
  numerator: [
    7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.4178072517745061177e-1,
    1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959,
    1.42343711074968357734,
  ],
  denominator: [
    1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2,
    1.4810397642748007459e-1, 6.8976733498510000455e-1, 1.6763848301838038494,
    2.05319162663775882187, 1,
  ],
};
const QUANTILE_TAIL: Rational = {
  numerator: [
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.2426609473880784386e-3,
    2.6532189526576123093e-2, 2.9656057182850489123e-1, 1.7848265399172913358,
    5.4637849111641143699, 6.6579046435011037772,
  ],
  denominator: [
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
    7.868691311456132591e-4, 1.48753612908506148525e-2, 1.3692988092273580531e-1,
    5.9983220655588793769e-1, 1,
  ],
};

function ratio(range: Rational, x: number): number {
  let top = 0;
  for (const coefficient of range.numerator) top = top * x + coefficient;
  let bottom = 0;
  for (const coefficient of range.denominator) bottom = bottom * x + coefficient;
  return top / bottom;
}

/** sf(z)·exp(z²/2) for z > 0.67448975. */
function scaledTail(z: number): number {
  if (z <= 5.656854249492381) return ratio(MIDDLE, z);
  const inverseSquare = 1 / (z * z);
  return (INV_SQRT_2PI - inverseSquare * ratio(TAIL, inverseSquare)) / z;
}

// exp(-z²/2) with the square split, so that its rounding is not magnified by z².
function expHalfSquare(z: number): number {
  const head = Math.trunc(z * 16) / 16;
  return Math.exp(-0.5 * head * head) * Math.exp(-0.5 * (z - head) * (z + head));
}

/** P(Z > z). Relative error below 1e-14 down to the smallest normal double; 0 beyond z ≈ 38.5. @throws RangeError for NaN */
function sf(z: number): number {
  requireNumber("z", z);
  const size = Math.abs(z);
  if (size <= 0.67448975) return 0.5 - z * ratio(CENTRE, z * z);
  const tail = size > 39 ? 0 : expHalfSquare(size) * scaledTail(size);
  return z > 0 ? tail : 1 - tail;
}

/** P(Z ≤ z). @throws RangeError for NaN */
function cdf(z: number): number {
  return sf(-z);
}

/** log P(Z > z), finite for |z| up to 1e154. @throws RangeError for NaN */
function logSf(z: number): number {
  if (z > 0.67448975) return -0.5 * z * z + Math.log(scaledTail(z));
  if (z < -0.67448975) return Math.log1p(-sf(-z));
  return Math.log(sf(z));
}

/** The density. @throws RangeError for NaN */
function pdf(z: number): number {
  requireNumber("z", z);
  return INV_SQRT_2PI * Math.exp(-0.5 * z * z);
}

/**
 * z with P(Z ≤ z) = p, for 0 ≤ p ≤ 1 (±Infinity at the ends). An upper quantile is `-quantile(p)`: pass the small tail, never 1 − p.
 * @throws RangeError when p is outside [0, 1]
 */
function quantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must lie between 0 and 1, got ${p}`);
  const centred = p - 0.5;
  if (Math.abs(centred) <= 0.425)
    return centred * ratio(QUANTILE_CENTRE, 0.180625 - centred * centred);
  const tail = centred < 0 ? p : 1 - p;
  if (tail === 0) return centred < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-Math.log(tail));
  const size = r <= 5 ? ratio(QUANTILE_MIDDLE, r - 1.6) : ratio(QUANTILE_TAIL, r - 5);
  return centred < 0 ? -size : size;
}

export const normal = { cdf, sf, logSf, pdf, quantile };
