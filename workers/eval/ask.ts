/**
 * What every route here does before it can answer: who asks, whether they may, and which snapshot they are served from.
 * Waits for nothing once the isolate knows the key and the environment.
 */

import type { Context as HonoContext } from "hono";
import type { ApiKey, KeyDirectory, Later } from "../../contracts/api-key.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Problem, Result } from "../../contracts/problem.ts";
import type { Context } from "../../core/index.ts";
import { givenRequestId, reply, requestIdOf } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import type { Need } from "../../http/authenticate.ts";
import { completeContext } from "../../http/complete-context.ts";
import { grantTo } from "../../http/cors.ts";
import { requestIdHeader } from "../../http/problem.ts";
import type { RateLimiter } from "../../stores/rate-limiter.ts";
import type { ServedSnapshot, SnapshotStore } from "../../stores/snapshot-store.ts";

export const anyKey = { kinds: ["server", "client", "admin"] } as const;

export interface Askable {
  keys: KeyDirectory;
  rates: RateLimiter;
  snapshots: SnapshotStore;
  nowMs: () => number;
}

type Call = HonoContext<AppEnv<object>>;

/** A request that may be answered. */
export interface Asked {
  environment: string;
  kind: ApiKey["kind"];
  snapshot: ServedSnapshot;
  nowMs: number;
  /** Keeps work alive after the answer. */
  later: Later;
}

export async function ask(c: Call, services: Askable, need: Need): Promise<Result<Asked>> {
  const later: Later = (work) => c.executionCtx.waitUntil(work);
  const nowMs = services.nowMs();
  const principal = await authenticate(c.req.raw.headers, services.keys, need, later);
  if (!principal.ok) return principal;
  const { environment, key } = principal.value;
  const retryAfterSeconds = services.rates.take(key.id, nowMs, later);
  if (retryAfterSeconds > 0) {
    return refuse("rate-limited", "This key has asked too often; ask again later.", {
      retryAfterSeconds,
    });
  }
  const snapshot = await snapshotOrNull(services.snapshots, environment, nowMs, later);
  return snapshot === null
    ? refuse(
        "unavailable",
        "The environment's configuration is not available; use your defaults and try again.",
        { retryAfterSeconds: 2 },
      )
    : ok({ environment, kind: key.kind, snapshot, nowMs, later });
}

/** Null when there is nothing to serve from: an environment without a snapshot, or a cold isolate while KV fails. */
async function snapshotOrNull(
  snapshots: SnapshotStore,
  ...asked: Parameters<SnapshotStore["get"]>
): Promise<ServedSnapshot | null> {
  try {
    return await snapshots.get(...asked);
  } catch (error) {
    console.error(JSON.stringify({ event: "snapshot-unavailable", error: String(error) }));
    return null;
  }
}

/** A client key's caller is the visitor's own device; any other's is a data centre, whose context is used as given. */
export function contextOf(c: Call, { kind }: Asked, given: Context): Context {
  return kind === "client" ? completeContext(given, c.req.raw) : given;
}

/** `body` is JSON text, or null for an answer without one. */
export function answer(
  c: Call,
  { kind, snapshot }: Asked,
  body: string | null,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  // A header costs more than a flag: no id is minted for an answer that no log mentions.
  const all: Record<string, string> = {
    ...headers,
    "x-edgewise-version": String(snapshot.published.version),
    age: String(Math.floor(snapshot.ageMs / 1_000)),
  };
  const requestId = status < 400 ? givenRequestId(c.req.raw.headers) : requestIdOf(c);
  if (requestId !== null) all[requestIdHeader] = requestId;
  if (body !== null) all["content-type"] = "application/json";
  if (kind === "client") Object.assign(all, grantTo(c.req.raw.headers.get("origin")));
  return new Response(body, { status, headers: all });
}

/** A page may read why it was refused, unless its origin may be the reason, or the key is one that no page should have. */
export function refused(c: Call, problem: Problem, asked?: Asked): Response {
  const response = reply(c, problem);
  if (problem.code === "forbidden" || (asked !== undefined && asked.kind !== "client")) {
    return response;
  }
  for (const [name, value] of Object.entries(grantTo(c.req.raw.headers.get("origin")))) {
    response.headers.set(name, value);
  }
  return response;
}
