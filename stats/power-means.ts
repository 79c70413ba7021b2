/**
 * The power of the t test of two means with a common standard deviation, exact through the noncentral t distribution: a mixture of normal tails over the
 * chi distribution of the estimated deviation (Johnson, Kotz & Balakrishnan 1995, chapter 31), as R's power.t.test gives it.
 */
import { requirePositive } from "./check-parameters.ts";
import { requireDesign } from "./fixed-design.ts";
import type { FixedDesign } from "./fixed-design.ts";
import { composite, gaussLegendre, integrate } from "./gauss-legendre.ts";
import { gammaDensity } from "./incomplete-gamma.ts";
import { normal } from "./normal.ts";
import { studentT } from "./student-t.ts";

const RULE = gaussLegendre(16);

/**
 * The chance of finding the difference in its direction.
 * @throws RangeError unless difference and standardDeviation are positive, the variants hold three units or more, and for an impossible design
 */
export function powerMeans(
  input: FixedDesign & {
    /** Units in the control at the end; need not be whole. */
    readonly control: number;
    readonly standardDeviation: number;
    /** Treatment minus control; its sign does not matter. */
    readonly difference: number;
  },
): number {
  const { control, standardDeviation, difference } = input;
  requirePositive("control", control);
  requirePositive("standardDeviation", standardDeviation);
  requirePositive("difference", Math.abs(difference));
  const { alpha, sides, treatments, allocation, inflation } = requireDesign(input);
  const n = control / inflation;
  const df = n * (1 + allocation) - 2;
  if (!(df > 0)) throw new RangeError(`control must leave degrees of freedom, got ${control}`);
  const error = standardDeviation * Math.sqrt((1 + 1 / allocation) / n);
  const critical = -studentT.quantile(alpha / treatments / sides, df);
  return noncentralTail(critical, df, Math.abs(difference) / error);
}

/** P(T > t) for the noncentral t: ∫ P(Z > t·s − shift) dF(s), s² a chi-square over its degrees of freedom. */
function noncentralTail(t: number, df: number, shift: number): number {
  // log s is near normal with deviation 1/√(2 df); below, its tail falls like exp(df · log s).
  const reach = 10 * Math.sqrt(1 / (2 * df));
  const lower = -reach - 40 / df;
  const upper = Math.min(reach, 5);
  const half = df / 2;
  return integrate(
    (log) => {
      const square = Math.exp(2 * log);
      const density = 2 * half * square * gammaDensity(half, half * square);
      return density * normal.sf(t * Math.sqrt(square) - shift);
    },
    composite(RULE, { lower, upper, panels: 24 }),
  );
}
