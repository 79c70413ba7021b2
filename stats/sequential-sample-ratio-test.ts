/**
 * Sample-ratio mismatch that may be checked at every refresh: the Dirichlet–multinomial e-process of Lindon & Malek (2022, NeurIPS, "Anytime-valid
 * inference for multinomial count data"). Under the planned weights the evidence ever exceeds 1/a with probability at most a.
 */
import { devianceTerm, stirlingError } from "./log-gamma.ts";
import { plannedShares } from "./sample-ratio-test.ts";
import type { ObservedShares } from "./sample-ratio-test.ts";

export type SequentialSampleRatio = {
  /** Natural logarithm of the e-value: mismatch at level a when its running maximum reaches log(1/a). */
  readonly logEvidence: number;
  /** min(1, 1/e-value) at this reading; the running minimum is valid under any number of readings. */
  readonly pValue: number;
};

/**
 * `concentration` is the weight of the prior on the planned shares, in units: 100 to 10,000 notice drifts of a per cent soonest. It must be fixed
 * before the first reading. Default 1,000.
 * @throws RangeError for counts that are none, negative or vanishing weights, lists of different length, a concentration outside 1e-6 to 1e15
 */
export function sequentialSampleRatioTest(
  input: ObservedShares & { readonly concentration?: number },
): SequentialSampleRatio {
  const { concentration = 1000 } = input;
  if (!(concentration >= 1e-6 && concentration <= 1e15))
    throw new RangeError(`concentration must lie between 1e-6 and 1e15, got ${concentration}`);
  const { counts, shares } = plannedShares(input);
  const total = counts.reduce((sum, count) => sum + count, 0);
  // Σ log Γ(prior + count) − log Γ(prior) − … by Stirling's form, whose large terms cancel on paper: what is left is a deviance and corrections.
  let logEvidence =
    0.5 * Math.log1p(total / concentration) +
    stirlingError(concentration) -
    stirlingError(concentration + total);
  shares.forEach((share, i) => {
    const prior = concentration * share;
    const reached = prior + (counts[i] ?? 0);
    logEvidence +=
      devianceTerm(reached, (concentration + total) * share) +
      0.5 * Math.log(prior / reached) +
      stirlingError(reached) -
      stirlingError(prior);
  });
  return { logEvidence, pValue: Math.min(1, Math.exp(-logEvidence)) };
}
