/**
 * Gives an experiment that has started one more secondary metric, or a secondary that it has the definition that is in force now.
 * Primaries and guardrails stay as they were frozen: alpha was planned for them, and alarms were raised on them.
 */

import type { Phase } from "../contracts/phase.ts";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import { currentPhase } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { withPhase } from "./lifecycle.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import type { MetricsByKey } from "./resolve-metrics.ts";

export function addMetric(
  record: ExperimentRecord,
  metric: string,
  { metrics, nowMs }: { metrics: MetricsByKey; nowMs: number },
): Result<ExperimentRecord> {
  const { key, status, body } = record;
  const phase = currentPhase(record);
  if (phase === null || status === "archived") {
    const detail =
      status === "draft"
        ? `${key} is a draft: name the metric in it with PUT /api/v1/experiments/${key}.`
        : `${key} is ${status} and is not counted any more.`;
    return refuse("not-possible", detail);
  }
  const one = { primary: [], secondary: [metric], guardrail: [] };
  const [resolved] = resolveMetrics({ metrics: one }, metrics);
  if (resolved === undefined) {
    const detail = `There is no metric ${metric}; create it with POST /api/v1/metrics.`;
    return refuseFields([{ pointer: "/metric", detail }]);
  }
  const known = phase.metrics.find((each) => each.key === metric);
  if (known !== undefined && known.role !== "secondary") {
    const detail = `${metric} is a ${known.role} metric of ${key} and stays as it was when the phase started; make a metric of another key.`;
    return refuse("not-possible", detail);
  }
  if (known !== undefined && isSame(known, resolved)) {
    return refuse("conflict", `${key} has the metric ${metric} as it is defined now.`);
  }
  const added = { ...resolved, addedAtMs: nowMs };
  const secondary = [...body.metrics.secondary.filter((each) => each !== metric), metric];
  return ok({
    ...withPhase(record, status, (each) => ({ ...each, metrics: withMetric(each, added) })),
    body: { ...body, metrics: { ...body.metrics, secondary } },
  });
}

type PhaseMetric = Phase["metrics"][number];

/** After the other secondaries: guardrails come last. */
function withMetric({ metrics }: Phase, added: PhaseMetric): PhaseMetric[] {
  const others = metrics.filter(({ key }) => key !== added.key);
  return [
    ...others.filter(({ role }) => role !== "guardrail"),
    added,
    ...others.filter(({ role }) => role === "guardrail"),
  ];
}

function isSame({ addedAtMs: _added, ...known }: PhaseMetric, resolved: PhaseMetric): boolean {
  return JSON.stringify(sorted(known)) === JSON.stringify(sorted(resolved));
}

function sorted(metric: object): [string, unknown][] {
  return Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
