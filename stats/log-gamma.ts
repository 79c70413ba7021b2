/**
 * The gamma function's logarithm and the two pieces of C. Loader's saddle-point form (2000, "Fast and accurate computation of
 * binomial probabilities"): with them a density is exp(−small) instead of a difference of huge logarithms, which is what keeps the
 * incomplete gamma and beta functions exact when their parameters reach a million.
 */

const HALF_LOG_2PI = 0.9189385332046727;
// B_{2k} / (2k (2k − 1)): Stirling's series, converged to 1e-17 from SERIES_FROM on.
const STIRLING = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
];
const SERIES_FROM = 12;

/** δ(x) = log Γ(x) − (x − ½) log x + x − ½ log 2π, for x > 0; error below 1e-15 for x ≥ ½. */
export function stirlingError(x: number): number {
  let shifted = x;
  let sum = 0;
  // δ(x) − δ(x + 1) = (x + ½) log(1 + 1/x) − 1
  for (; shifted < SERIES_FROM; shifted++) sum += (shifted + 0.5) * Math.log1p(1 / shifted) - 1;
  const inverseSquare = 1 / (shifted * shifted);
  let series = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--)
    series = series * inverseSquare + (STIRLING[k] ?? 0);
  return sum + series / shifted;
}

/** log Γ(x) for x > 0. */
export function logGamma(x: number): number {
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_2PI + stirlingError(x);
}

/** x log(x/m) + m − x ≥ 0, free of cancellation when x is near m (Loader's deviance term). */
export function devianceTerm(x: number, m: number): number {
  const difference = x - m;
  const sum = x + m;
  if (Math.abs(difference) >= 0.1 * sum) return x * Math.log(x / m) - difference;
  const v = difference / sum;
  let total = difference * v;
  let power = 2 * x * v;
  for (let odd = 3; odd < 100; odd += 2) {
    power *= v * v;
    const next = total + power / odd;
    if (next === total) break;
    total = next;
  }
  return total;
}
