/**
 * The boundary that a sum of independent deviations crosses at some time, ever, with probability at most alpha: a mixture of likelihood ratios over a
 * normal prior (Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49, section 3.2).
 * What the always-valid test and the asymptotic confidence sequence stand on.
 */
import { requirePositive, requireProbability, requireSides } from "./check-parameters.ts";
import { brentRoot } from "./find-root.ts";
import { normal } from "./normal.ts";

/**
 * The boundary for the sum at intrinsic time (variance) v, with mixing precision rho. Closed form when two-sided; one-sided the exact root
 * for the half-normal mixture.
 * @throws RangeError unless time and rho lie between 1e-100 and 1e100, alpha in (0, 1)
 */
export function normalMixtureBoundary(input: {
  readonly time: number;
  readonly rho: number;
  readonly alpha: number;
  readonly sides: 1 | 2;
}): number {
  const { time, rho, alpha, sides } = input;
  requireScale("time", time);
  requireScale("rho", rho);
  requireProbability("alpha", alpha);
  requireSides(sides);
  const total = time + rho;
  const twoSided = Math.sqrt(total * (Math.log(total / rho) - 2 * Math.log(alpha)));
  if (sides === 2) return twoSided;
  // log of 2 √(ρ / (v + ρ)) exp(s² / 2(v + ρ)) Φ(s / √(v + ρ)), which never exceeds 1/alpha
  const excess = (s: number): number =>
    Math.LN2 +
    0.5 * Math.log(rho / total) +
    (s * s) / (2 * total) +
    normal.logSf(-s / Math.sqrt(total)) +
    Math.log(alpha);
  // The root is negative when alpha is large and v small; the mixture then has decided nothing.
  return excess(0) >= 0
    ? 0
    : brentRoot(excess, { lower: 0, upper: twoSided, tolerance: 1e-12 * twoSided });
}

/** Beyond these a ratio or a square of times would leave the doubles. */
function requireScale(name: string, value: number): void {
  if (!(value >= 1e-100 && value <= 1e100))
    throw new RangeError(`${name} must lie between 1e-100 and 1e100, got ${value}`);
}

/**
 * The mixing precision whose boundary is tightest at the given intrinsic time; exact when two-sided, for one side that of 2 alpha.
 * To be fixed before the data.
 * @throws RangeError unless time is positive, alpha in (0, 1), and below 1/2 when one-sided
 */
export function normalMixtureRho(input: {
  readonly time: number;
  readonly alpha: number;
  readonly sides: 1 | 2;
}): number {
  const { time, alpha, sides } = input;
  requirePositive("time", time);
  requireSides(sides);
  const level = (alpha * 2) / sides;
  if (!(level > 0 && level < 1))
    throw new RangeError(`alpha must lie between 0 and ${sides / 2}, got ${alpha}`);
  // y − log y = 1 − 2 log alpha for y = 1 + v/ρ, the lower branch of Lambert's W
  const target = 1 - 2 * Math.log(level);
  let y = target + Math.log(target);
  for (let step = 0; step < 50; step++) {
    const move = (y - Math.log(y) - target) / (1 - 1 / y);
    y -= move;
    if (Math.abs(move) < 1e-15 * y) break;
  }
  return time / (y - 1);
}
