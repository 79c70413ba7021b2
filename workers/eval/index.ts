/** Composition root of the public worker. Its stores are the isolate's memory: made once, holding nothing of any one request. */

import type {
  ExportedHandler,
  Fetcher,
  KVNamespace,
  Queue,
  RateLimit,
} from "@cloudflare/workers-types";
import { eventQueue } from "../../stores/event-queue.ts";
import { keyStore } from "../../stores/key-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { rateLimiter } from "../../stores/rate-limiter.ts";
import { snapshotStore } from "../../stores/snapshot-store.ts";
import { evalApp } from "./app.ts";
import { exposureLog } from "../../stores/exposure-log.ts";

export interface Env {
  CONFIG: KVNamespace;
  INGEST: Fetcher;
  ADMIN: Fetcher;
  KEY_REQUESTS: RateLimit;
  [events: `EVENTS_${number}`]: Queue<string>;
}

/** By the bindings object, which is one for the life of the isolate. */
const apps = new WeakMap<Env, ReturnType<typeof evalApp>>();

function appOf(env: Env): ReturnType<typeof evalApp> {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const app = evalApp({
    keys: keyStore(env.CONFIG),
    snapshots: snapshotStore(env.CONFIG),
    rates: rateLimiter(env.KEY_REQUESTS),
    exposures: exposureLog(eventQueue(numberedBindings(env, "EVENTS_")), pause),
    ingest: env.INGEST,
    admin: env.ADMIN,
    nowMs: () => Date.now(),
  });
  apps.set(env, app);
  return app;
}

export default {
  fetch: (request, env, context) => appOf(env).fetch(request, env, context),
} satisfies ExportedHandler<Env>;

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
