/** `…/experiments`: create, read and run experiments. */

import { Hono } from "hono";
import { experimentBody, lifecycleBody } from "../../contracts/experiment.ts";
import type { ExperimentBody } from "../../contracts/experiment.ts";
import { limits } from "../../contracts/limits.ts";
import { ok, refuse, refuseFields } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import { checkExperiment } from "../../control/check-experiment.ts";
import { currentPhase } from "../../control/experiment.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import { flagOfExperiment, withExperimentRule } from "../../control/experiment-flag.ts";
import { advance } from "../../control/lifecycle.ts";
import type { LifecycleAction } from "../../control/lifecycle.ts";
import { resolveMetrics } from "../../control/resolve-metrics.ts";
import type { MetricsByKey } from "../../control/resolve-metrics.ts";
import { resolvePlan } from "../../control/resolve-plan.ts";
import { reply } from "../../http/app.ts";
import { check, parseJson, readJson, readText } from "../../http/body.ts";
import type { ChangeRequest, Decision, Definition } from "../../stores/definition-store.ts";
import type { Flag } from "../../core/index.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange, changeRequest } from "./change.ts";

const actions: readonly LifecycleAction[] = ["start", "pause", "resume", "complete"];

export function experimentRoutes(services: Services) {
  const { definitions } = services;
  return new Hono<AdminEnv>()
    .get("/", async (c) => {
      const records = await definitions.experiments(c.get("principal").environment);
      return c.json({ experiments: records.map(experimentView) });
    })
    .get("/:key", async (c) => {
      const key = c.req.param("key");
      const record = await definitions.experiment(c.get("principal").environment, key);
      return record === null ? reply(c, unknown(key).problem) : c.json(experimentView(record));
    })
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, experimentBody, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const request = changeRequest(c, services);
      const created = await applyChange(services, request, () =>
        creation(services, request, body.value),
      );
      return created.ok ? c.json(experimentView(created.value), 201) : reply(c, created.problem);
    })
    .post(`/:key/:action{${actions.join("|")}}`, async (c) => {
      const action = actions.find((name) => name === c.req.param("action"));
      if (action === undefined) return c.notFound();
      const text = await readText(c.req.raw, limits.bodyBytes);
      if (!text.ok) return reply(c, text.problem);
      const json = text.value === "" ? ok({}) : parseJson(text.value);
      const body = json.ok ? check(json.value, lifecycleBody) : json;
      if (!body.ok) return reply(c, body.problem);
      const request = changeRequest(c, services);
      const advanced = await applyChange(services, request, () =>
        advancing(services, request, {
          key: c.req.param("key"),
          action,
          reason: body.value.reason,
        }),
      );
      return advanced.ok ? c.json(experimentView(advanced.value)) : reply(c, advanced.problem);
    });
}

async function creation(
  { definitions, newId, newSecret }: Services,
  { environment, at }: ChangeRequest,
  body: ExperimentBody,
): Promise<Result<Decision<ExperimentRecord>>> {
  if ((await definitions.experiment(environment, body.key)) !== null) {
    return refuse(
      "conflict",
      `There is an experiment ${body.key} already; keys are never used twice.`,
    );
  }
  const flagKey = body.flag ?? body.key;
  const existing = await definitions.flag(environment, flagKey);
  if (body.flag === undefined && existing !== null) {
    return refuse(
      "conflict",
      `There is a flag ${flagKey} already; name it in the field flag to run the experiment in it.`,
    );
  }
  const metrics = await metricsByKey(definitions, environment);
  const errors = checkExperiment(body, {
    metrics: new Set(metrics.keys()),
    flag: existing?.body ?? null,
  });
  if (errors.length > 0) return refuseFields(errors);
  const plan = resolvePlan(body, resolveMetrics(body, metrics));
  if (!plan.ok) return plan;
  const flag: Definition<Flag> =
    existing === null
      ? {
          id: newId(),
          version: 1,
          body: flagOfExperiment(body, newSecret()),
          createdAt: at,
          updatedAt: at,
        }
      : {
          ...existing,
          version: existing.version + 1,
          body: withExperimentRule(existing.body, body.key),
          updatedAt: at,
        };
  const record: ExperimentRecord = {
    id: newId(),
    key: body.key,
    version: 1,
    status: "draft",
    body,
    phases: [],
    createdAt: at,
    updatedAt: at,
  };
  return ok({
    action: "create",
    writes: [
      { entity: "experiment", record },
      { entity: "flag", definition: flag },
    ],
    value: record,
  });
}

async function advancing(
  { definitions, newSecret }: Services,
  { environment, at }: ChangeRequest,
  step: { key: string; action: LifecycleAction; reason: string | undefined },
): Promise<Result<Decision<ExperimentRecord>>> {
  const { key, action, reason } = step;
  const record = await definitions.experiment(environment, key);
  if (record === null) return unknown(key);
  const next = advance(record, action, {
    nowMs: Date.parse(at),
    metrics: await metricsByKey(definitions, environment),
    freshSalt: newSecret(),
  });
  if (!next.ok) return next;
  const value = { ...next.value, version: record.version + 1, updatedAt: at };
  return ok({
    action,
    ...(reason !== undefined && { reason }),
    writes: [{ entity: "experiment", record: value }],
    value,
  });
}

async function metricsByKey(
  definitions: Services["definitions"],
  environment: string,
): Promise<MetricsByKey> {
  const metrics = await definitions.metrics(environment);
  return new Map(metrics.map(({ body }) => [body.key, body]));
}

function unknown(key: string) {
  return refuse("not-found", `There is no experiment ${key}.`);
}

function experimentView(record: ExperimentRecord) {
  const { id, version, status, body, phases, createdAt, updatedAt } = record;
  const phase = currentPhase(record);
  return {
    id,
    version,
    status,
    ...body,
    phase: phase?.phase ?? null,
    startedAt: instant(phases[0]?.running[0]?.[0]),
    stoppedAt: instant(phase?.running.at(-1)?.[1] ?? undefined),
    maximumSampleSize: phase?.plan.maximumSampleSize ?? body.plan.maximumSampleSize ?? null,
    createdAt,
    updatedAt,
  };
}

function instant(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
