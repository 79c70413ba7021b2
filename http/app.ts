/** The Hono app that every worker starts from: request ids, and problem+json for what no route answers and for what throws. */

import { Hono } from "hono";
import type { Context, Env, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Problem } from "../contracts/problem.ts";
import { problemResponse, requestIdHeader } from "./problem.ts";

export type AppEnv<Bindings extends object> = {
  Bindings: Bindings;
  Variables: { requestId: string };
};

/** Hands a request on to another worker, which answers under the same request id. */
export async function forward<E extends Env & { Variables: { requestId: string } }>(
  c: Context<E>,
  worker: Fetcher,
): Promise<Response> {
  const request = new Request(c.req.raw);
  request.headers.set(requestIdHeader, c.get("requestId"));
  return await worker.fetch(request);
}

/** A caller's id is kept when it is one that can stand in a log line. */
const acceptableId = /^[\w.:-]{1,64}$/;

export function createApp<Bindings extends object>(): Hono<AppEnv<Bindings>> {
  const app = new Hono<AppEnv<Bindings>>();
  app.use(requestIds());
  app.notFound((c) =>
    reply(c, { code: "not-found", detail: `There is no route ${c.req.method} ${c.req.path}.` }),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      return reply(c, { code: "malformed-json", detail: error.message });
    }
    console.error(
      JSON.stringify({ requestId: c.get("requestId"), error: String(error), stack: error.stack }),
    );
    return reply(c, {
      code: "internal-error",
      detail: "The request failed; it is logged under its request id.",
    });
  });
  return app;
}

export function reply<E extends Env & { Variables: { requestId: string } }>(
  c: Context<E>,
  problem: Problem,
): Response {
  return problemResponse(problem, c.get("requestId"));
}

function requestIds(): MiddlewareHandler<{ Variables: { requestId: string } }> {
  return async (c, next) => {
    const given = c.req.header(requestIdHeader);
    const id = given !== undefined && acceptableId.test(given) ? given : crypto.randomUUID();
    c.set("requestId", id);
    c.header(requestIdHeader, id);
    await next();
  };
}
