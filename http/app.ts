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

type WithRequestId = Env & { Variables: { requestId: string } };

/** Hands a request on to another worker, which answers under the same request id. */
export async function forward<E extends WithRequestId>(
  c: Context<E>,
  worker: Fetcher,
): Promise<Response> {
  const request = new Request(c.req.raw);
  request.headers.set(requestIdHeader, requestIdOf(c));
  return await worker.fetch(request);
}

/** For a path whose other methods have no meaning. */
export function onlyBy<E extends WithRequestId>(c: Context<E>, method: string): Response {
  const detail = `${c.req.path} is asked with ${method}, not with ${c.req.method}.`;
  const response = reply(c, { code: "method-not-allowed", detail });
  response.headers.set("allow", method);
  return response;
}

/** A caller's id is kept when it is one that can stand in a log line. */
const acceptableId = /^[\w.:-]{1,64}$/;

/** The same one all through a request. */
export function requestIdOf<E extends WithRequestId>(c: Context<E>): string {
  const known: string | undefined = c.get("requestId");
  if (known !== undefined) return known;
  const id = givenRequestId(c.req.raw.headers) ?? crypto.randomUUID();
  c.set("requestId", id);
  return id;
}

export function givenRequestId(headers: Headers): string | null {
  const given = headers.get(requestIdHeader);
  return given !== null && acceptableId.test(given) ? given : null;
}

/** An app whose every answer carries the request's id. */
export function createApp<Bindings extends object>(): Hono<AppEnv<Bindings>> {
  const app = createBareApp<Bindings>();
  app.use(requestIds());
  return app;
}

/** As `createApp`, without middleware, which costs a tenth of an evaluation: routes put the caller's request id on their answers. */
export function createBareApp<Bindings extends object>(): Hono<AppEnv<Bindings>> {
  const app = new Hono<AppEnv<Bindings>>();
  app.notFound((c) =>
    reply(c, { code: "not-found", detail: `There is no route ${c.req.method} ${c.req.path}.` }),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      return reply(c, { code: "malformed-json", detail: error.message });
    }
    console.error(
      JSON.stringify({ requestId: requestIdOf(c), error: String(error), stack: error.stack }),
    );
    return reply(c, {
      code: "internal-error",
      detail: "The request failed; it is logged under its request id.",
    });
  });
  return app;
}

export function reply<E extends WithRequestId>(c: Context<E>, problem: Problem): Response {
  return problemResponse(problem, requestIdOf(c));
}

function requestIds(): MiddlewareHandler<{ Variables: { requestId: string } }> {
  return async (c, next) => {
    await next();
    if (!c.res.headers.has(requestIdHeader)) c.header(requestIdHeader, requestIdOf(c));
  };
}
