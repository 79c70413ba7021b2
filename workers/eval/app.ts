/**
 * The public worker's routes. Evaluation is served here from memory; events go to the ingest worker and all else to the admin worker.
 * Nothing on the evaluate path waits for I/O once the isolate is warm, and exposures are sent after the answer.
 */

import type { Fetcher } from "@cloudflare/workers-types";
import { evaluateBody, readEvaluateBody } from "../../contracts/evaluate.ts";
import { limits } from "../../contracts/limits.ts";
import { createBareApp, forward, onlyBy } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { preflight } from "../../http/cors.ts";
import { sdkOf } from "../../http/sdk-of.ts";
import { answer, anyKey, ask, contextOf, refused } from "./ask.ts";
import type { Askable } from "./ask.ts";
import { configRoute } from "./config.ts";
import { evaluationsAnswer } from "./evaluate.ts";
import { explainRoute } from "./explain.ts";
import type { ExposureLog } from "../../stores/exposure-log.ts";
import { ofrepRoutes } from "./ofrep.ts";
import { exposuresOf, serve } from "./serve.ts";

export interface Services extends Askable {
  exposures: ExposureLog;
  ingest: Fetcher;
  admin: Fetcher;
}

const ingestPaths = [
  "/api/v1/events/*",
  "/api/v1/dead-letters/*",
  "/api/v1/rebuilds",
  "/api/v1/health",
];

export function evalApp(services: Services) {
  const app = createBareApp<object>();
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.options("/api/v1/evaluate", preflight);
  app.post("/api/v1/evaluate", async (c) => {
    const asked = await ask(c, services, anyKey);
    if (!asked.ok) return refused(c, asked.problem);
    const limit = limits.evaluateBodyBytes;
    const body = await readJson(c.req.raw, evaluateBody, limit, readEvaluateBody);
    if (!body.ok) return refused(c, body.problem, asked.value);
    const { flags, exposures } = body.value;
    const context = contextOf(c, asked.value, body.value.context);
    const evaluations = serve(asked.value, context, flags);
    // Without named flags it is a prefetch: nobody has seen anything yet.
    if (flags !== undefined && exposures) {
      const sdk = () => sdkOf(c.req.raw.headers, "evaluate");
      services.exposures.send(asked.value, exposuresOf(evaluations, context, asked.value, sdk));
    }
    const answered = evaluationsAnswer(evaluations, asked.value.snapshot);
    return answer(c, asked.value, JSON.stringify(answered));
  });

  app.route("/ofrep/v1/evaluate/flags", ofrepRoutes(services));
  app.post("/api/v1/explain", explainRoute(services));
  app.get("/api/v1/config", configRoute(services));
  app.all("/api/v1/evaluate", (c) => onlyBy(c, "POST"));
  app.all("/api/v1/explain", (c) => onlyBy(c, "POST"));
  app.all("/api/v1/config", (c) => onlyBy(c, "GET"));

  app.on("ALL", ingestPaths, (c) => forward(c, services.ingest));
  app.notFound((c) => forward(c, services.admin));
  return app;
}
