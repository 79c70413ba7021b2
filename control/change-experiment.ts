/** Creating, replacing and running an experiment: pure decisions on one reading of the environment. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import type { Flag } from "../core/index.ts";
import { addMetric } from "./add-metric.ts";
import { unknownDefinition, versionRefusal } from "./change-definition.ts";
import type { Fresh } from "./change-definition.ts";
import { checkExperiment } from "./check-experiment.ts";
import { checkFlag } from "./check-flag.ts";
import { bodyOf, inForce } from "./environment-state.ts";
import type { Decision, DefinitionOf, EnvironmentState } from "./environment-state.ts";
import { flagKeyOf } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { flagOfExperiment, withExperimentRule, withVariantsOf } from "./experiment-flag.ts";
import { authoredFlag } from "./flag-form.ts";
import { advance, ramp } from "./lifecycle.ts";
import type { LayerUse, LifecycleAction, LifecycleInputs } from "./lifecycle.ts";
import { hasUnansweredAlarm } from "./pause-for-harm.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import type { MetricsByKey } from "./resolve-metrics.ts";
import { resolvePlan } from "./resolve-plan.ts";
import { occupiedSlots } from "./slots.ts";

type ExperimentDecision = Result<Decision<ExperimentRecord>>;

export function createExperiment(
  state: EnvironmentState,
  body: ExperimentBody,
  fresh: Fresh & { flagId: string },
): ExperimentDecision {
  const { key } = body;
  if (state.experiments.some((record) => record.key === key)) {
    const detail = `There is or was an experiment ${key}; keys are never used twice.`;
    return refuse("conflict", detail);
  }
  if (body.flag === undefined && state.flags.some((flag) => flag.body.key === key)) {
    return refuse(
      "conflict",
      `There is or was a flag ${key}; name it in the field flag to run the experiment in it.`,
    );
  }
  const checked = checkWhole(body, state);
  if (!checked.ok) return checked;
  const { at, id, salt, flagId } = fresh;
  const record: ExperimentRecord = {
    id,
    key,
    version: 1,
    status: "draft",
    body,
    phases: [],
    createdAt: at,
    updatedAt: at,
  };
  const existing = flagInForce(state, flagKeyOf(body));
  const flag: DefinitionOf<"flag"> =
    existing === null
      ? {
          id: flagId,
          version: 1,
          body: flagOfExperiment(body, salt),
          createdAt: at,
          updatedAt: at,
          archivedAt: null,
        }
      : changed(existing, withExperimentRule(existing.body, key), at);
  return ok({
    action: "create",
    writes: [
      { entity: "experiment", record },
      { entity: "flag", definition: flag },
    ],
    value: record,
  });
}

/** Only a draft can be replaced: what has started is frozen. Its flag stays the same one. */
export function replaceExperiment(
  state: EnvironmentState,
  body: ExperimentBody,
  { expected, at }: { expected: readonly number[] | null; at: string },
): ExperimentDecision {
  const found = findExperiment(state, body.key, expected);
  if (!found.ok) return found;
  const before = found.value;
  const { key } = before;
  if (before.status !== "draft") {
    const detail = `${key} is ${before.status}; only a draft can be replaced, what has started is frozen.`;
    return refuse("not-possible", detail);
  }
  if (flagKeyOf(before.body) !== flagKeyOf(body)) {
    const detail = `${key} is a rule of the flag ${flagKeyOf(before.body)} and stays there; make another experiment for another flag.`;
    return refuseFields([{ pointer: "/flag", detail }]);
  }
  const checked = checkWhole(body, state);
  if (!checked.ok) return checked;
  const record = { ...before, body, version: before.version + 1, updatedAt: at };
  const flag = body.flag === undefined ? flagInForce(state, key) : null;
  if (flag === null) {
    return ok({ action: "update", writes: [{ entity: "experiment", record }], value: record });
  }
  const following = withVariantsOf(flag.body, before.body, body);
  const [misfit] = checkFlag(authoredFlag(following), state);
  if (misfit !== undefined) {
    const detail = `The flag ${key} would no longer fit (${misfit.pointer}: ${misfit.detail}); change it first.`;
    return refuseFields([{ pointer: "/variants", detail }]);
  }
  return ok({
    action: "update",
    writes: [
      { entity: "experiment", record },
      { entity: "flag", definition: changed(flag, following, at) },
    ],
    value: record,
  });
}

export type ExperimentStep =
  | { action: LifecycleAction; reason?: string }
  | { action: "ramp"; traffic: number; reason?: string }
  | { action: "add-metric"; metric: string; reason: string };

export function advanceExperiment(
  state: EnvironmentState,
  key: string,
  step: ExperimentStep,
  { at, salt, expected }: Pick<Fresh, "at" | "salt"> & { expected: readonly number[] | null },
): ExperimentDecision {
  const found = findExperiment(state, key, expected);
  if (!found.ok) return found;
  const before = found.value;
  if (step.action === "resume" && step.reason === undefined && hasUnansweredAlarm(before)) {
    const detail = `A guardrail of ${key} has alarmed: say why it may go on.`;
    return refuseFields([{ pointer: "/reason", detail }]);
  }
  const next = stepped(before, step, {
    nowMs: Date.parse(at),
    metrics: metricsByKey(state),
    freshSalt: salt,
    layer: layerUseOf(before, state),
  });
  if (!next.ok) return next;
  const record = { ...next.value, version: before.version + 1, updatedAt: at };
  return ok({
    action: step.action,
    ...(step.reason !== undefined && { reason: step.reason }),
    writes: [{ entity: "experiment", record }],
    value: record,
  });
}

function stepped(
  before: ExperimentRecord,
  step: ExperimentStep,
  inputs: LifecycleInputs,
): Result<ExperimentRecord> {
  if (step.action === "ramp") return ramp(before, step.traffic, inputs.layer);
  if (step.action === "add-metric") return addMetric(before, step.metric, inputs);
  return advance(before, step.action, inputs);
}

function checkWhole(body: ExperimentBody, state: EnvironmentState): Result<unknown> {
  const errors = checkExperiment(body, state);
  return errors.length > 0
    ? refuseFields(errors)
    : resolvePlan(body, resolveMetrics(body, metricsByKey(state)));
}

function findExperiment(
  state: EnvironmentState,
  key: string,
  expected: readonly number[] | null,
): Result<ExperimentRecord> {
  const found = state.experiments.find((record) => record.key === key);
  if (found === undefined) return unknownDefinition("experiment", key);
  return versionRefusal(`The experiment ${key}`, found.version, expected) ?? ok(found);
}

function layerUseOf({ body }: ExperimentRecord, state: EnvironmentState): LayerUse | null {
  const layer = body.layer === undefined ? null : bodyOf(state.layers, body.layer);
  if (layer === null) return null;
  const { key, salt } = layer;
  return { key, salt, occupied: occupiedSlots(key, state.experiments) };
}

function flagInForce(state: EnvironmentState, key: string): DefinitionOf<"flag"> | null {
  return inForce(state.flags).find(({ body }) => body.key === key) ?? null;
}

function changed(definition: DefinitionOf<"flag">, body: Flag, at: string): DefinitionOf<"flag"> {
  return { ...definition, body, version: definition.version + 1, updatedAt: at };
}

function metricsByKey({ metrics }: EnvironmentState): MetricsByKey {
  return new Map(inForce(metrics).map(({ body }) => [body.key, body]));
}
