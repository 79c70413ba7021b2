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
  const { alpha, power, sides, spending, futility, adjustment, looks } = body.plan;
  const ledgers = body.metrics.primary.length * (body.variants.length - 1);
  const ledgerAlpha = alpha / ledgers;
  const isAdjusted = adjustment === "cuped";
  const unadjustable = metrics.find(
    ({ role, type, covariateLookbackDays }) =>
      role === "primary" && (type === "ratio" || covariateLookbackDays === undefined),
  );
  if (isAdjusted && unadjustable !== undefined) {
    const detail = `The primary metric ${unadjustable.key} has no covariate to adjust by: give it one, or leave adjustment out.`;
    return refuseFields([{ pointer: "/plan/adjustment", detail }]);
  }
  const frozen = {
    alpha,
    ledgerAlpha,
    power,
    sides,
    spending,
    futility,
    ...(isAdjusted && { adjustment }),
  };
  const primary = metrics.find(({ role }) => role === "primary");
  const { maximumSampleSize, standardDeviation } = body.plan;
  if (maximumSampleSize === undefined && !converts(primary) && standardDeviation === undefined) {
    const detail = "The sample size of a mean or a ratio takes its standard deviation: give it.";
    return refuseFields([{ pointer: "/plan/standardDeviation", detail }]);
  }
  try {
    const design = designGroupSequential({
      alpha: ledgerAlpha,
      power,
      sides,
      spending,
      fractions: plannedFractions(looks),
      ...(futility !== "none" && { futility }),
    });
    return ok({
      ...frozen,
      maximumSampleSize:
        maximumSampleSize ?? sampleSize(body, primary, ledgers, design.inflationFactor),
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
 * Units over all variants with which the first primary metric's comparison of the smallest treatment has the power:
 * every variant gets whole ones.
 * @throws RangeError naming what of the plan is impossible
 */
function sampleSize(
  { plan, variants }: Pick<ExperimentBody, "plan" | "variants">,
  metric: PhaseMetric | undefined,
  ledgers: number,
  inflation: number,
): number {
  const { baseline = 0, minimumDetectableEffect = 0, standardDeviation = 0, power, sides } = plan;
  const treatments = variants.filter(({ isControl }) => !isControl);
  const controlWeight = variants.find(({ isControl }) => isControl)?.weight ?? 0;
  const allocation = Math.min(...treatments.map(({ weight }) => weight)) / controlWeight;
  const design = { alpha: plan.alpha / ledgers, power, sides, inflation, allocation };
  const sign = metric?.direction === "decrease" ? -1 : 1;
  const difference = sign * baseline * minimumDetectableEffect;
  const { exactControl } = converts(metric)
    ? sampleSizeProportions({ ...design, baseline, alternative: baseline + difference })
    : sampleSizeMeans({ ...design, standardDeviation, difference });
  const size = variants.reduce(
    (total, { weight }) => total + Math.ceil((exactControl * weight) / controlWeight - 1e-9),
    0,
  );
  if (Number.isSafeInteger(size)) return size;
  throw new RangeError("so small an effect takes more units than can be counted");
}

function converts(metric: PhaseMetric | undefined): boolean {
  return metric?.type === "proportion" || metric?.type === "retention";
}
