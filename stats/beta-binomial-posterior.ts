/**
 * The posterior of two conversion rates under a common beta prior (Gelman et al. 2013, section 2.4), by quadrature rather than simulation. A reading aid:
 * it is no protection against stopping when it pleases.
 */
import { requirePositive } from "./check-parameters.ts";
import { beta } from "./beta.ts";
import { requireLevel } from "./comparison.ts";
import type { Interval } from "./comparison.ts";
import { composite, gaussLegendre } from "./gauss-legendre.ts";
import { betaDensity, incompleteBeta } from "./incomplete-beta.ts";
import { requireProportion } from "./two-proportion-test.ts";
import type { Proportion } from "./two-proportion-test.ts";

export type BetaBinomialPosterior = {
  /** P(treatment's rate > control's). */
  readonly probabilityBetter: number;
  /** What choosing the variant is expected to lose, in rate. */
  readonly expectedLoss: { readonly treatment: number; readonly control: number };
  readonly control: { readonly mean: number; readonly interval: Interval };
  readonly treatment: { readonly mean: number; readonly interval: Interval };
};

type Shape = { readonly a: number; readonly b: number; readonly mean: number };

const RULE = gaussLegendre(16);
/** Mass left out at each end of the range that is integrated over. */
const NEGLIGIBLE = 1e-14;
/** In logits: the beta densities have poles at distance π from the real line. */
const WIDEST_PANEL = 3;

/**
 * An empty variant keeps its prior. Absolute error below 1e-10.
 * @throws RangeError for counts that are none, a prior that is not positive, a level outside (0, 1)
 */
export function betaBinomialPosterior(input: {
  readonly control: Proportion;
  readonly treatment: Proportion;
  /** Default uniform: a = b = 1. */
  readonly prior?: { readonly a: number; readonly b: number };
  /** Of the central intervals; default 0.95. */
  readonly level?: number;
}): BetaBinomialPosterior {
  const { prior = { a: 1, b: 1 }, level = 0.95 } = input;
  requireProportion("control", input.control);
  requireProportion("treatment", input.treatment);
  requirePositive("prior.a", prior.a);
  requirePositive("prior.b", prior.b);
  requireLevel(level);
  const shape = ({ n, successes }: Proportion): Shape => {
    const a = prior.a + successes;
    const b = prior.b + n - successes;
    return { a, b, mean: a / (a + b) };
  };
  const describe = ({ a, b, mean }: Shape): { mean: number; interval: Interval } => ({
    mean,
    interval: [beta.quantile((1 - level) / 2, a, b), beta.quantile((1 + level) / 2, a, b)],
  });
  const control = shape(input.control);
  const treatment = shape(input.treatment);
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
    control: describe(control),
    treatment: describe(treatment),
  };
}

const logit = (p: number): number => Math.log(p) - Math.log1p(-p);

/**
 * P(W > N), E max(0, W − N) and E max(0, N − W): one pass over N's density in its logit, where
 * E max(0, W − y) = (mean − y) P(W > y) + mean · y^a (1 − y)^b / (a B(a, b)).
 */
function exceeds(wide: Shape, narrow: Shape): { above: number; excess: number; shortfall: number } {
  const lower = Math.max(logit(beta.quantile(NEGLIGIBLE, narrow.a, narrow.b)), -700);
  const upper = Math.min(logit(beta.quantile(1 - NEGLIGIBLE, narrow.a, narrow.b)), 36);
  const panels = Math.max(4, Math.ceil((upper - lower) / WIDEST_PANEL));
  const { nodes, weights } = composite(RULE, { lower, upper, panels });
  let above = 0;
  let excess = 0;
  let shortfall = 0;
  nodes.forEach((u, i) => {
    const y = 1 / (1 + Math.exp(-u));
    const rest = 1 / (1 + Math.exp(u));
    const mass = (weights[i] ?? 0) * betaDensity(narrow.a, narrow.b, y, rest) * y * rest;
    const sf = incompleteBeta(wide.b, wide.a, rest, y);
    const cdf = incompleteBeta(wide.a, wide.b, y, rest);
    const step = (wide.mean * betaDensity(wide.a, wide.b, y, rest) * y * rest) / wide.a;
    above += mass * sf;
    excess += mass * ((wide.mean - y) * sf + step);
    shortfall += mass * ((y - wide.mean) * cdf + step);
  });
  // Rounding must not leave a probability outside [0, 1].
  above = Math.min(Math.max(above, 0), 1);
  return { above, excess: Math.max(0, excess), shortfall: Math.max(0, shortfall) };
}
