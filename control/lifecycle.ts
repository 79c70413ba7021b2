/**
 * The life of an experiment: draft → running ⇄ paused → completed → archived. Each step takes a record and gives the next one, or says why not.
 * Starting freezes a phase; what is frozen never changes afterwards but for the intervals in which it ran and for slots, which are only added.
 */

import { ok, refuse } from "../contracts/problem.ts";
import type { Refusal, Result } from "../contracts/problem.ts";
import type { ExperimentStatus, Phase } from "../contracts/phase.ts";
import type { Slot } from "../core/index.ts";
import { currentPhase, isStarted } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import type { MetricsByKey } from "./resolve-metrics.ts";
import { resolvePlan } from "./resolve-plan.ts";
import { basisPointsOf, firstFit, freeSlots } from "./slots.ts";

export type LifecycleAction = "start" | "pause" | "resume" | "complete" | "archive";

/** The layer that an experiment is in. */
export interface LayerUse {
  key: string;
  salt: string;
  /** Of all its started experiments. */
  occupied: readonly Slot[];
}

export interface LifecycleInputs {
  nowMs: number;
  metrics: MetricsByKey;
  /** For a phase whose body names no salt. */
  freshSalt: string;
  /** Null: outside any layer. */
  layer: LayerUse | null;
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
    case "archive":
      return record.status === "draft" || record.status === "completed"
        ? ok({ ...record, status: "archived" })
        : impossible(record, action, ["draft", "completed"]);
  }
}

/** Gives a started experiment more of the units. Never fewer: who met a variant would lose it. */
export function ramp(
  record: ExperimentRecord,
  traffic: number,
  layer: LayerUse | null,
): Result<ExperimentRecord> {
  const { key, body } = record;
  if (!isStarted(record)) return impossible(record, "ramp", ["running", "paused"]);
  if (traffic <= body.traffic) {
    const detail =
      traffic === body.traffic
        ? `${key} has ${traffic} % of the units already.`
        : `${key} has ${body.traffic} % of the units. Lowering it to ${traffic} % would take units out that have met their variant; pause or complete the experiment instead.`;
    return refuse("not-possible", detail);
  }
  const phase = currentPhase(record);
  const added = slotsFor(traffic, layer, phase?.slots ?? []);
  if (!added.ok) return added;
  return ok({
    ...withPhase(record, record.status, (phase) => ({ ...phase, slots: added.value })),
    body: { ...body, traffic },
  });
}

/** Those that it has, and as many more as the traffic takes; outside any layer, simply the first ones. */
function slotsFor(traffic: number, layer: LayerUse | null, has: readonly Slot[]): Result<Slot[]> {
  const basisPoints = Math.round(traffic * 100);
  if (layer === null) return ok([[0, basisPoints]]);
  const missing = basisPoints - basisPointsOf(has);
  const added = firstFit(layer.occupied, missing);
  if (added !== null) return ok([...has, ...added]);
  const free = basisPointsOf(freeSlots(layer.occupied)) / 100;
  return refuse(
    "not-possible",
    `The layer ${layer.key} has ${free} % of its units free, and this takes ${missing / 100} %: complete another experiment of it first, or ask for less traffic.`,
  );
}

function start(record: ExperimentRecord, inputs: LifecycleInputs): Result<ExperimentRecord> {
  const { body } = record;
  const metrics = resolveMetrics(body, inputs.metrics);
  const plan = resolvePlan(body, metrics);
  if (!plan.ok) return plan;
  const slots = slotsFor(body.traffic, inputs.layer, []);
  if (!slots.ok) return slots;
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
    layer: inputs.layer?.key ?? null,
    layerSalt: inputs.layer?.salt ?? record.id,
    slots: slots.value,
    dimensions: body.dimensions,
    excludesEarlierPhases: false,
    exploratory: false,
    metrics,
    plan: plan.value,
    running: [[inputs.nowMs, null]],
    ...(body.schedule?.stop !== undefined && { plannedEndMs: Date.parse(body.schedule.stop) }),
  };
  return ok({ ...record, status: "running", phases: [phase] });
}

/** With its current phase changed. */
export function withPhase(
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
  action: LifecycleAction | "ramp",
  from: ExperimentStatus[],
): Refusal {
  return refuse(
    "not-possible",
    `${key} is ${status}; ${action} is possible when it is ${from.join(" or ")}.`,
  );
}
