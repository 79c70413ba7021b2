/**
 * The posterior of two conversion rates under a common beta prior (Gelman et al. 2013, section 2.4), by quadrature rather than simulation. A reading aid:
 * it is no protection against stopping when it pleases.
 */
import { requirePositive } from "./check-parameters.ts";
import { beta } from "./beta.ts";
import { requireLevel } from "./comparison.ts";
import type { Interval } from "./comparison.ts";
import { betaPower, betaShape, betaTails } from "./incomplete-beta.ts";
import { requireProportion } from "./two-proportion-test.ts";
import type { Proportion } from "./two-proportion-test.ts";

export type BetaBinomialContrast = {
  /** P(treatment's rate > control's). */
  readonly probabilityBetter: number;
  /** What choosing the variant is expected to lose, in rate. */
  readonly expectedLoss: { readonly treatment: number; readonly control: number };
};

export type BetaBinomialPosterior = BetaBinomialContrast & {
  readonly control: { readonly mean: number; readonly interval: Interval };
  readonly treatment: { readonly mean: number; readonly interval: Interval };
};

export type BetaBinomialData = {
  readonly control: Proportion;
  readonly treatment: Proportion;
  /** Default uniform: a = b = 1. */
  readonly prior?: { readonly a: number; readonly b: number };
};

type Shape = { readonly a: number; readonly b: number; readonly mean: number };

/** Of the logarithm of a density, from its mode to where the sum over it ends: 2e-16 of the height there. */
const NEGLIGIBLE_DROP = 36;
/** In logits. */
const FARTHEST = 700;
/**
 * Steps of the sum: this many a standard deviation of the narrower density for two that are nearly normal, where the error is exp(−(π · 2)²). That of few
 * successes is nearly a gamma variable's logarithm, which grows beyond bounds at distance π/2 from the real line: that asks for the others.
 */
const STEPS_A_DEVIATION = 2;
const LEAST_STEPS_A_LOGIT = 5;

/**
 * How the two compare, without the posteriors themselves. Absolute error below 1e-12.
 * @throws RangeError for counts that are none, a prior that is not positive
 */
export function betaBinomialContrast(input: BetaBinomialData): BetaBinomialContrast {
  const { control, treatment } = shapes(input);
  // Over the narrower posterior the other's distribution function is smooth, never a step.
  const swap = control.a + control.b < treatment.a + treatment.b;
  const { above, excess, shortfall } = swap
    ? exceeds(control, treatment)
    : exceeds(treatment, control);
  return {
    probabilityBetter: swap ? 1 - above : above,
    expectedLoss: swap
      ? { treatment: excess, control: shortfall }
      : { treatment: shortfall, control: excess },
  };
}

/**
 * An empty variant keeps its prior. Absolute error below 1e-12.
 * @throws RangeError for counts that are none, a prior that is not positive, a level outside (0, 1)
 */
export function betaBinomialPosterior(
  input: BetaBinomialData & {
    /** Of the central intervals; default 0.95. */
    readonly level?: number;
  },
): BetaBinomialPosterior {
  const { level = 0.95 } = input;
  requireLevel(level);
  const { control, treatment } = shapes(input);
  const describe = ({ a, b, mean }: Shape): { mean: number; interval: Interval } => ({
    mean,
    interval: [beta.quantile((1 - level) / 2, a, b), beta.quantile((1 + level) / 2, a, b)],
  });
  return {
    ...betaBinomialContrast(input),
    control: describe(control),
    treatment: describe(treatment),
  };
}

function shapes({ control, treatment, prior = { a: 1, b: 1 } }: BetaBinomialData): {
  control: Shape;
  treatment: Shape;
} {
  requireProportion("control", control);
  requireProportion("treatment", treatment);
  requirePositive("prior.a", prior.a);
  requirePositive("prior.b", prior.b);
  const shape = ({ n, successes }: Proportion): Shape => {
    const a = prior.a + successes;
    const b = prior.b + n - successes;
    return { a, b, mean: a / (a + b) };
  };
  return { control: shape(control), treatment: shape(treatment) };
}

/**
 * P(W > N), E max(0, W − N) and E max(0, N − W): the trapezoidal rule over N's density in its logit, which converges exponentially for what is
 * analytic around the line and vanishes at both ends (Trefethen & Weideman 2014, theorem 5.1). There
 * E max(0, W − y) = (mean − y) P(W > y) + mean · y^a (1 − y)^b / (a B(a, b)).
 */
function exceeds(wide: Shape, narrow: Shape): { above: number; excess: number; shortfall: number } {
  const { a, b } = narrow;
  const mode = Math.log(a / b);
  const inverseVariance = (a / (a + b)) * b;
  const density = Math.sqrt(STEPS_A_DEVIATION ** 2 * inverseVariance + LEAST_STEPS_A_LOGIT ** 2);
  const lower = Math.max(mode - reach(a, b), -FARTHEST);
  const upper = Math.min(mode + reach(b, a), FARTHEST);
  const steps = Math.ceil((upper - lower) * density);
  const step = (upper - lower) / steps;
  const narrowShape = betaShape(a, b);
  const wideShape = betaShape(wide.a, wide.b);
  let above = 0;
  let excess = 0;
  let shortfall = 0;
  for (let i = 0; i <= steps; i++) {
    const u = lower + i * step;
    const y = 1 / (1 + Math.exp(-u));
    const rest = 1 / (1 + Math.exp(u));
    const mass = step * betaPower(narrowShape, y, rest);
    const tails = betaTails(wideShape, y, rest);
    const beyond = (wide.mean * tails.power) / wide.a;
    above += mass * tails.upper;
    excess += mass * ((wide.mean - y) * tails.upper + beyond);
    shortfall += mass * ((y - wide.mean) * tails.lower + beyond);
  }
  // Rounding must not leave a probability outside [0, 1].
  above = Math.min(Math.max(above, 0), 1);
  return { above, excess: Math.max(0, excess), shortfall: Math.max(0, shortfall) };
}

/**
 * How far below its mode a beta density in its logit has fallen by NEGLIGIBLE_DROP; its mirror image for the other side. The fall is convex in the
 * distance: after one step of Newton's method the answer is never too near.
 */
function reach(a: number, b: number): number {
  const mean = a / (a + b);
  let distance = Math.sqrt((2 * NEGLIGIBLE_DROP * (a + b)) / a / b);
  for (let i = 0; i < 4; i++) {
    const rest = 1 + mean * Math.expm1(-distance);
    const fall = a * distance + (a + b) * Math.log(rest);
    distance -= (fall - NEGLIGIBLE_DROP) / (a - (a * Math.exp(-distance)) / rest);
  }
  return distance;
}
