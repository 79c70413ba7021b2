/** The comparison that looks decide by: the one that the metric's type calls for, or adjusted by a covariate when the plan said so before the data. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { cuped, cupedTheta } from "../stats/index.ts";
import type { Comparison } from "../stats/index.ts";
import { compare, readingOf, withCovariate } from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";

interface Compared {
  treatment: string;
  level: number;
}

export function isAdjusted({ plan }: Pick<Phase, "plan">, metric: PhaseMetric): boolean {
  return plan.adjustment === "cuped" && hasCovariate(metric);
}

export function hasCovariate({ covariateLookbackDays, type }: PhaseMetric): boolean {
  return covariateLookbackDays !== undefined && type !== "ratio";
}

/** θ of all variants together, so that every comparison is adjusted alike; null: not adjusted, or the covariate does not vary. */
export function thetaOf(
  phase: Pick<Phase, "plan">,
  metric: PhaseMetric,
  readings: ReadingsByVariant,
): number | null {
  return isAdjusted(phase, metric) ? cupedTheta([...readings.values()].map(withCovariate)) : null;
}

export function decisive(
  phase: Phase,
  metric: PhaseMetric,
  {
    readings,
    theta,
    treatment,
    level,
  }: Compared & { readings: ReadingsByVariant; theta: number | null },
): Comparison {
  const { control } = phase;
  if (!isAdjusted(phase, metric)) return compare(metric, readings, { control, treatment, level });
  return cuped({
    control: withCovariate(readingOf(readings, control)),
    treatment: withCovariate(readingOf(readings, treatment)),
    theta: theta ?? 0,
    level,
  });
}
