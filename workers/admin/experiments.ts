/** `…/experiments`: create, read, replace and run experiments. */

import { Hono } from "hono";
import type { Context } from "hono";
import type * as z from "zod/mini";
import {
  addedMetricBody,
  experimentBody,
  lifecycleBody,
  rampBody,
} from "../../contracts/experiment.ts";
import { limits } from "../../contracts/limits.ts";
import { experimentStatuses } from "../../contracts/phase.ts";
import { ok } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import { unknownDefinition } from "../../control/change-definition.ts";
import {
  advanceExperiment,
  createExperiment,
  replaceExperiment,
} from "../../control/change-experiment.ts";
import type { ExperimentStep } from "../../control/change-experiment.ts";
import { currentPhase } from "../../control/experiment.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import type { LifecycleAction } from "../../control/lifecycle.ts";
import { reply } from "../../http/app.ts";
import { check, parseJson, readJson, readText } from "../../http/body.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange } from "./change.ts";
import { expectedVersions, readReplacement, setEntityTag } from "./replacement.ts";

const actions: readonly LifecycleAction[] = ["start", "pause", "resume", "complete", "archive"];
/** D1 takes rows of 2 MB, and a started experiment's row has its targeting twice. */
const experimentBytes = limits.bodyBytes / 2;
/** Members of an answer that no body has. */
const derived = ["status", "phase", "startedAt", "stoppedAt", "maximumSampleSize"];

export function experimentRoutes(services: Services) {
  const { definitions } = services;

  async function take(c: Context<AdminEnv>, step: Result<ExperimentStep>) {
    if (!step.ok) return step;
    const expected = expectedVersions(c);
    if (!expected.ok) return expected;
    const key = c.req.param("key") ?? "";
    return await applyChange(c, services, (state, fresh) =>
      advanceExperiment(state, key, step.value, { ...fresh, expected: expected.value }),
    );
  }

  return new Hono<AdminEnv>()
    .get("/", async (c) => {
      const status = experimentStatuses.find((each) => each === c.req.query("status"));
      if (status === undefined && c.req.query("status") !== undefined) {
        const detail = `status is one of ${experimentStatuses.join(", ")}.`;
        return reply(c, { code: "invalid-parameter", detail });
      }
      const records = await definitions.experiments(c.get("principal").environment);
      const asked = records.filter((record) =>
        status === undefined ? record.status !== "archived" : record.status === status,
      );
      return c.json({ experiments: asked.map(experimentView) });
    })
    .get("/:key", async (c) => {
      const key = c.req.param("key");
      const record = await definitions.experiment(c.get("principal").environment, key);
      return record === null
        ? reply(c, unknownDefinition("experiment", key).problem)
        : answer(c, ok(record));
    })
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, experimentBody, experimentBytes);
      if (!body.ok) return reply(c, body.problem);
      const flagId = services.newId();
      const created = await applyChange(c, services, (state, fresh) =>
        createExperiment(state, body.value, { ...fresh, flagId }),
      );
      return answer(c, created, 201);
    })
    .put("/:key", async (c) => {
      const read = await readReplacement(c, c.req.param("key"), {
        schema: experimentBody,
        derived,
        limitBytes: experimentBytes,
      });
      if (!read.ok) return reply(c, read.problem);
      const { body, expected } = read.value;
      const replaced = await applyChange(c, services, (state, { at }) =>
        replaceExperiment(state, body, { expected, at }),
      );
      return answer(c, replaced);
    })
    .delete("/:key", async (c) => {
      const archived = await take(c, ok({ action: "archive" }));
      return archived.ok ? c.body(null, 204) : reply(c, archived.problem);
    })
    .post("/:key/ramp", async (c) => {
      const body = await readJson(c.req.raw, rampBody, limits.bodyBytes);
      return answer(c, await take(c, body.ok ? ok({ action: "ramp", ...body.value }) : body));
    })
    .post("/:key/metrics", async (c) => {
      const body = await readJson(c.req.raw, addedMetricBody, limits.bodyBytes);
      return answer(c, await take(c, body.ok ? ok({ action: "add-metric", ...body.value }) : body));
    })
    .post(`/:key/:action{${actions.join("|")}}`, async (c) => {
      const action = actions.find((name) => name === c.req.param("action"));
      if (action === undefined) return c.notFound();
      const body = await readOptionalJson(c.req.raw, lifecycleBody);
      return answer(c, await take(c, body.ok ? ok({ action, ...body.value }) : body));
    });
}

async function readOptionalJson<T>(request: Request, schema: z.ZodMiniType<T>): Promise<Result<T>> {
  const text = await readText(request, limits.bodyBytes);
  if (!text.ok) return text;
  const json = text.value === "" ? ok({}) : parseJson(text.value);
  return json.ok ? check(json.value, schema) : json;
}

function answer(c: Context<AdminEnv>, result: Result<ExperimentRecord>, status: 200 | 201 = 200) {
  if (!result.ok) return reply(c, result.problem);
  setEntityTag(c, result.value.version);
  return c.json(experimentView(result.value), status);
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
