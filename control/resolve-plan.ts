/** The statistical plan as a phase freezes it: how many ledgers share alpha, when looks are due, and how many units it takes. */

import type { ExperimentBody, PlanBody } from "../contracts/experiment.ts";
import type { PhaseMetric, PhasePlan } from "../contracts/phase.ts";
import { ok, refuseFields } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import { designGroupSequential, sampleSizeMeans, sampleSizeProportions } from "../stats/index.ts";

export function resolvePlan(
  body: Pick<ExperimentBody, "plan" | "variants" | "metrics">,
  metrics: readonly PhaseMetric[],
): Result<PhasePlan> {
  const { alpha, power, sides, spending, futility, looks } = body.plan;
  const ledgers = body.metrics.primary.length * (body.variants.length - 1);
  const ledgerAlpha = alpha / ledgers;
  const frozen = { alpha, ledgerAlpha, power, sides, spending, futility };
  try {
    const design = designGroupSequential({
      alpha: ledgerAlpha,
      power,
      sides,
      spending,
      fractions: plannedFractions(looks),
      ...(futility !== "none" && { futility }),
    });
    const maximumSampleSize =
      body.plan.maximumSampleSize ?? sampleSize(body, metrics, ledgers, design.inflationFactor);
    return ok({
      ...frozen,
      maximumSampleSize,
      looks: typeof looks === "number" ? { fractions: plannedFractions(looks) } : looks,
    });
  } catch (error) {
    if (error instanceof RangeError) {
      return refuseFields([{ pointer: "/plan", detail: error.message }]);
    }
    throw error;
  }
}

/** Information fractions of the planned looks; calendar looks as if units came evenly. */
export function plannedFractions(looks: PlanBody["looks"]): number[] {
  if (typeof looks === "object" && "fractions" in looks) return looks.fractions;
  const count = typeof looks === "number" ? looks : looks.count;
  return Array.from({ length: count }, (_, index) => (index + 1) / count);
}

/**
 * Units over all variants with which the first primary metric's comparison of the smallest treatment has the power.
 * @throws RangeError naming what of the plan is impossible or missing
 */
function sampleSize(
  { plan, variants }: Pick<ExperimentBody, "plan" | "variants">,
  metrics: readonly PhaseMetric[],
  ledgers: number,
  inflation: number,
): number {
  const { baseline = 0, minimumDetectableEffect = 0, standardDeviation, power, sides } = plan;
  const metric = metrics.find(({ role }) => role === "primary");
  const treatments = variants.filter(({ isControl }) => !isControl);
  const controlWeight = variants.find(({ isControl }) => isControl)?.weight ?? 0;
  const allocation = Math.min(...treatments.map(({ weight }) => weight)) / controlWeight;
  const design = { alpha: plan.alpha / ledgers, power, sides, inflation, allocation };
  const sign = metric?.direction === "decrease" ? -1 : 1;
  const difference = sign * baseline * minimumDetectableEffect;
  const converts = metric?.type === "proportion" || metric?.type === "retention";
  if (!converts && standardDeviation === undefined) {
    throw new RangeError("standardDeviation is needed for the sample size of a mean or ratio");
  }
  const { exactControl } = converts
    ? sampleSizeProportions({ ...design, baseline, alternative: baseline + difference })
    : sampleSizeMeans({ ...design, standardDeviation: standardDeviation ?? 0, difference });
  return Math.ceil((exactControl * 100) / controlWeight);
}
