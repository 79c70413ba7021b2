/** `…/metrics`: define and read metrics. A running experiment keeps the definition it started with. */

import { Hono } from "hono";
import { limits } from "../../contracts/limits.ts";
import { metricBody } from "../../contracts/metric.ts";
import type { MetricBody } from "../../contracts/metric.ts";
import { ok, refuse, refuseFields } from "../../contracts/problem.ts";
import { checkMetric } from "../../control/check-metric.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { Definition } from "../../stores/definition-store.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange, changeRequest } from "./change.ts";

export function metricRoutes(services: Services) {
  const { definitions } = services;
  return new Hono<AdminEnv>()
    .get("/", async (c) => {
      const metrics = await definitions.metrics(c.get("principal").environment);
      return c.json({ metrics: metrics.map(metricView) });
    })
    .get("/:key", async (c) => {
      const key = c.req.param("key");
      const found = await definitions.metric(c.get("principal").environment, key);
      return found === null
        ? reply(c, { code: "not-found", detail: `There is no metric ${key}.` })
        : c.json(metricView(found));
    })
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, metricBody, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const errors = checkMetric(body.value);
      if (errors.length > 0) return reply(c, refuseFields(errors).problem);
      const request = changeRequest(c, services);
      const created = await applyChange(services, request, async () => {
        const { key } = body.value;
        if ((await definitions.metric(request.environment, key)) !== null) {
          return refuse("conflict", `There is a metric ${key} already; keys are never used twice.`);
        }
        const definition: Definition<MetricBody> = {
          id: services.newId(),
          version: 1,
          body: body.value,
          createdAt: request.at,
          updatedAt: request.at,
        };
        return ok({
          action: "create",
          writes: [{ entity: "metric", definition }],
          value: definition,
        });
      });
      return created.ok ? c.json(metricView(created.value), 201) : reply(c, created.problem);
    });
}

function metricView({ id, version, body, createdAt, updatedAt }: Definition<MetricBody>) {
  return { id, version, ...body, createdAt, updatedAt };
}
