/**
 * Error-spending functions: how much of the error may have been used once a share of the study has been seen.
 * Each is non-decreasing and exactly `alpha` from 1 on.
 * Sources: Lan & DeMets (1983, Biometrika 70); Hwang, Shih & DeCani (1990, Stat. Med. 9); Kim & DeMets (1987, Biometrika 74).
 */
import { requireSameLength } from "./check-parameters.ts";
import { normal } from "./normal.ts";

/** Functions of time alone. `obrien-fleming` and `pocock` are the Lan–DeMets forms. */
export type SpendingCurve =
  | "obrien-fleming"
  | "pocock"
  | { readonly family: "hwang-shih-decani"; readonly gamma: number }
  | { readonly family: "kim-demets"; readonly rho: number };

/** `haybittle-peto` holds every interim look to |z| = 3 and gives the last look what is left. */
export type Spending = SpendingCurve | "haybittle-peto";

/** Refuses what is no spending function, or has a parameter that makes none. @throws RangeError naming the parameter */
export function requireSpending(name: string, spending: Spending | null): void {
  if (spending !== "haybittle-peto") requireSpendingCurve(name, spending);
}

/** As `requireSpending`, for error that is spent along a curve: `haybittle-peto` has none. @throws RangeError naming the parameter */
export function requireSpendingCurve(name: string, spending: Spending | null): void {
  if (spending === "obrien-fleming" || spending === "pocock") return;
  if (typeof spending === "object" && spending !== null) {
    if (spending.family === "hwang-shih-decani") {
      if (Math.abs(spending.gamma) <= 40) return;
      throw new RangeError(`${name}.gamma must lie between -40 and 40, got ${spending.gamma}`);
    }
    if (spending.family === "kim-demets") {
      if (spending.rho > 0 && spending.rho < Infinity) return;
      throw new RangeError(`${name}.rho must be a positive finite number, got ${spending.rho}`);
    }
  }
  throw new RangeError(`${name} must be a spending function, got ${JSON.stringify(spending)}`);
}

/** @throws RangeError unless there is one time a look, in (0, 1], none below the one before */
export function requireSpendingTime(times: readonly number[], looks: number): void {
  requireSameLength("spendingTime", times, "fractions", looks);
  let before = 0;
  for (const time of times) {
    if (!(time > 0 && time <= 1))
      throw new RangeError(`spendingTime must lie in (0, 1], got ${time}`);
    if (time < before)
      throw new RangeError(`spendingTime must not fall, got ${time} after ${before}`);
    before = time;
  }
}

/** Below this γ the Hwang–Shih–DeCani curve is its limit, a straight line, to full precision. */
const NEARLY_LINEAR = 1e-16;

/** The error spent by spending time `time` ≥ 0 out of `alpha`, the error of one side. */
export function spentBy(time: number, alpha: number, spending: SpendingCurve): number {
  if (time >= 1) return alpha;
  if (time <= 0) return 0;
  if (spending === "obrien-fleming")
    return 2 * normal.sf(-normal.quantile(alpha / 2) / Math.sqrt(time));
  if (spending === "pocock") return alpha * Math.log1p((Math.E - 1) * time);
  if (spending.family === "kim-demets") return alpha * time ** spending.rho;
  const { gamma } = spending;
  if (Math.abs(gamma) < NEARLY_LINEAR) return alpha * time;
  return alpha * (Math.expm1(-gamma * time) / Math.expm1(-gamma));
}
