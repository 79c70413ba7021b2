/**
 * The OpenFeature Remote Evaluation Protocol 0.3, under /ofrep/v1/evaluate/flags: one flag, which exposes, and all flags, a prefetch
 * that does not. Whatever goes wrong is told in the protocol's form, so that its clients can read it.
 */

import type { Context as HonoContext } from "hono";
import { limits } from "../../contracts/limits.ts";
import { ofrepBody } from "../../contracts/ofrep.ts";
import type { OfrepEvaluation } from "../../contracts/ofrep.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Problem, Result } from "../../contracts/problem.ts";
import { createBareApp, requestIdOf } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { preflight } from "../../http/cors.ts";
import { sdkOf } from "../../http/sdk-of.ts";
import { matchesTag } from "../../http/entity-tag.ts";
import { answer, anyKey, ask, contextOf, refused } from "./ask.ts";
import type { Askable, Asked } from "./ask.ts";
import type { ExposureLog } from "../../stores/exposure-log.ts";
import { ofrepBulk, ofrepEvaluation } from "./ofrep-answer.ts";
import { bulkTag } from "./ofrep-bulk-tag.ts";
import { ofrepFailure, ofrepStatus } from "./ofrep-failure.ts";
import { exposuresOf, serve } from "./serve.ts";

type Call = HonoContext<AppEnv<object>>;

export function ofrepRoutes(services: Askable & { exposures: ExposureLog }) {
  const app = createBareApp<object>();
  app.onError((error, c) => {
    console.error(
      JSON.stringify({ requestId: requestIdOf(c), error: String(error), stack: error.stack }),
    );
    const detail = "The evaluation failed; it is logged under its request id.";
    return failed(c, { code: "internal-error", detail });
  });
  app.options("*", preflight);

  app.post("/", async (c) => {
    const asked = await ask(c, services, anyKey);
    if (!asked.ok) return failed(c, asked.problem);
    const body = await readJson(c.req.raw, ofrepBody, limits.evaluateBodyBytes);
    if (!body.ok) return failed(c, body.problem, { asked: asked.value });
    const context = contextOf(c, asked.value, body.value.context);
    const bulk = ofrepBulk(serve(asked.value, context, undefined), context, asked.value.snapshot);
    const text = JSON.stringify(bulk);
    const etag = await bulkTag(asked.value.environment, context, text);
    if (etag === null) return answer(c, asked.value, text);
    return isKnown(c, etag, asked.value)
      ? answer(c, asked.value, null, { status: 304, headers: { etag } })
      : answer(c, asked.value, text, { headers: { etag } });
  });

  app.post("/:key{.+}", async (c) => {
    const key = c.req.param("key");
    const asked = await ask(c, services, anyKey);
    if (!asked.ok) return failed(c, asked.problem, { key });
    const body = await readJson(c.req.raw, ofrepBody, limits.evaluateBodyBytes);
    if (!body.ok) return failed(c, body.problem, { key, asked: asked.value });
    const wanted = exposuresWanted(c.req.query("exposures"));
    if (!wanted.ok) return failed(c, wanted.problem, { key, asked: asked.value });
    const context = contextOf(c, asked.value, body.value.context);
    const evaluations = serve(asked.value, context, [key]);
    if (wanted.value && body.value.exposures) {
      const sdk = () => sdkOf(c.req.raw.headers, "ofrep");
      services.exposures.send(asked.value, exposuresOf(evaluations, context, asked.value, sdk));
    }
    const [served] = evaluations.map((each) =>
      ofrepEvaluation(each, context, asked.value.snapshot),
    );
    return answer(c, asked.value, JSON.stringify(served), { status: statusOf(served) });
  });
  app.all("*", (c) =>
    failed(c, {
      code: "method-not-allowed",
      detail: "Evaluate with POST …/flags or POST …/flags/{key}.",
    }),
  );
  return app;
}

/** For clients that do not choose their body. */
function exposuresWanted(parameter: string | undefined): Result<boolean> {
  if (parameter === undefined || parameter === "true") return ok(true);
  return parameter === "false"
    ? ok(false)
    : refuse("invalid-parameter", "exposures: say true or false.");
}

function statusOf(served: OfrepEvaluation | undefined): number {
  if (served === undefined || !("errorCode" in served)) return 200;
  return served.errorCode === "FLAG_NOT_FOUND" ? 404 : 400;
}

/** With the headers of any refusal. */
function failed(
  c: Call,
  problem: Problem,
  { key, asked }: { key?: string; asked?: Asked } = {},
): Response {
  const { headers } = refused(c, problem, asked);
  headers.set("content-type", "application/json");
  const body = JSON.stringify(ofrepFailure(problem, key));
  return new Response(body, { status: ofrepStatus(problem), headers });
}

/**
 * Whether the caller has this answer already. A change that it was told of and that this isolate does not know, by its
 * `flagConfigEtag`, must not be answered with "not modified".
 */
function isKnown(c: Call, etag: string, { snapshot }: Asked): boolean {
  if (!matchesTag(c.req.raw.headers.get("if-none-match"), etag)) return false;
  if (c.req.query("flagConfigLastModified") !== undefined) return false;
  const told = c.req.query("flagConfigEtag")?.replaceAll('"', "");
  return (
    told === undefined ||
    told === String(snapshot.published.version) ||
    told === etag.replaceAll('"', "")
  );
}
