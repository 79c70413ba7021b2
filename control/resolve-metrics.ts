/** The metrics of an experiment as a phase freezes them: definition, role and window. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { MetricBody } from "../contracts/metric.ts";
import type { PhaseMetric } from "../contracts/phase.ts";
import type { CountedMetric } from "../counting/types.ts";

const hourMs = 3_600_000;
const defaultWindowHours = 72;
/** Harm cannot wait for a long window. */
const defaultGuardrailWindowHours = 1;

export type MetricsByKey = ReadonlyMap<string, MetricBody>;

/** In the order primary, secondary, guardrail; keys without a metric are left out (publishing has refused them). */
export function resolveMetrics(
  { metrics }: Pick<ExperimentBody, "metrics">,
  byKey: MetricsByKey,
): PhaseMetric[] {
  const named = [
    ...metrics.primary.map((key) => ({ key, role: "primary" as const })),
    ...metrics.secondary.map((key) => ({ key, role: "secondary" as const })),
    ...metrics.guardrail.map(({ metric, maxRelativeHarm }) => ({
      key: metric,
      role: "guardrail" as const,
      maxRelativeHarm,
    })),
  ];
  return named.flatMap(({ key, ...roleAndMargin }) => {
    const body = byKey.get(key);
    if (body === undefined) return [];
    const windowHours =
      roleAndMargin.role === "guardrail" ? defaultGuardrailWindowHours : defaultWindowHours;
    return [{ ...countedMetric(body, windowHours), direction: body.direction, ...roleAndMargin }];
  });
}

function countedMetric(body: MetricBody, defaultHours: number): CountedMetric {
  const converts = body.type === "proportion" || body.type === "retention";
  const windowHours =
    body.returnDays === undefined ? (body.windowHours ?? defaultHours) : (body.returnDays + 1) * 24;
  return {
    key: body.key,
    type: body.type,
    event: body.event,
    aggregation: body.aggregation ?? (converts ? "any" : "sum"),
    ...(body.denominator && { denominator: body.denominator }),
    ...(body.cap !== undefined && { cap: body.cap }),
    ...(body.returnDays !== undefined && { returnDays: body.returnDays }),
    ...(body.covariate && { covariateLookbackDays: body.covariate.lookbackDays }),
    windowMs: windowHours * hourMs,
  };
}
