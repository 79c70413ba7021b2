/**
 * The life of an experiment: draft → running ⇄ paused → completed. Each step takes a record and gives the next one, or says why not.
 * Starting freezes a phase; what is frozen never changes afterwards but for the intervals in which it ran.
 */

import { ok, refuse } from "../contracts/problem.ts";
import type { Refusal, Result } from "../contracts/problem.ts";
import type { ExperimentStatus, Phase } from "../contracts/phase.ts";
import { currentPhase } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import type { MetricsByKey } from "./resolve-metrics.ts";
import { resolvePlan } from "./resolve-plan.ts";

export type LifecycleAction = "start" | "pause" | "resume" | "complete";

export interface LifecycleInputs {
  nowMs: number;
  metrics: MetricsByKey;
  /** For a phase whose body names no salt. */
  freshSalt: string;
}

export function advance(
  record: ExperimentRecord,
  action: LifecycleAction,
  inputs: LifecycleInputs,
): Result<ExperimentRecord> {
  switch (action) {
    case "start":
      return record.status === "draft"
        ? start(record, inputs)
        : impossible(record, action, ["draft"]);
    case "pause":
      return record.status === "running"
        ? ok(withPhase(record, "paused", (phase) => stopped(phase, inputs.nowMs)))
        : impossible(record, action, ["running"]);
    case "resume":
      return record.status === "paused"
        ? ok(withPhase(record, "running", (phase) => resumed(phase, inputs.nowMs)))
        : impossible(record, action, ["paused"]);
    case "complete":
      return record.status === "running" || record.status === "paused"
        ? ok(withPhase(record, "completed", (phase) => stopped(phase, inputs.nowMs)))
        : impossible(record, action, ["running", "paused"]);
  }
}

function start(record: ExperimentRecord, inputs: LifecycleInputs): Result<ExperimentRecord> {
  const { body } = record;
  const metrics = resolveMetrics(body, inputs.metrics);
  const plan = resolvePlan(body, metrics);
  if (!plan.ok) return plan;
  const control = body.variants.find((variant) => variant.isControl);
  if (control === undefined) return refuse("not-possible", `${record.key} has no control.`);
  const phase: Phase = {
    phase: 1,
    salt: body.salt ?? inputs.freshSalt,
    unit: body.unit,
    control: control.key,
    variants: body.variants.map(({ key, weight }) => ({
      variant: key,
      weightBasisPoints: Math.round(weight * 100),
    })),
    ...(body.targeting && { targeting: body.targeting }),
    layer: null,
    layerSalt: record.id,
    slots: [[0, Math.round(body.traffic * 100)]],
    dimensions: body.dimensions,
    excludesEarlierPhases: false,
    exploratory: false,
    metrics,
    plan: plan.value,
    running: [[inputs.nowMs, null]],
  };
  return ok({ ...record, status: "running", phases: [phase] });
}

function withPhase(
  record: ExperimentRecord,
  status: ExperimentStatus,
  change: (phase: Phase) => Phase,
): ExperimentRecord {
  const phase = currentPhase(record);
  const phases = phase === null ? [] : [...record.phases.slice(0, -1), change(phase)];
  return { ...record, status, phases };
}

function stopped(phase: Phase, nowMs: number): Phase {
  const running: Phase["running"] = phase.running.map(([from, to]) => [from, to ?? nowMs]);
  return { ...phase, running };
}

function resumed(phase: Phase, nowMs: number): Phase {
  return { ...phase, running: [...phase.running, [nowMs, null]] };
}

function impossible(
  { key, status }: ExperimentRecord,
  action: LifecycleAction,
  from: ExperimentStatus[],
): Refusal {
  return refuse(
    "not-possible",
    `${key} is ${status}; ${action} is possible when it is ${from.join(" or ")}.`,
  );
}
