/**
 * The public worker's routes. Evaluation is served here from memory; events go to the ingest worker and all else to the admin worker.
 * Nothing on the evaluate path waits for I/O once the isolate is warm, and exposures are sent after the answer.
 */

import type { Fetcher } from "@cloudflare/workers-types";
import type { KeyDirectory } from "../../contracts/api-key.ts";
import { evaluateBody } from "../../contracts/evaluate.ts";
import { limits } from "../../contracts/limits.ts";
import { createApp, forward, reply } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import { readJson } from "../../http/body.ts";
import type { EventQueue, SentEvents } from "../../stores/event-queue.ts";
import type { SnapshotStore } from "../../stores/snapshot-store.ts";
import { answer } from "./evaluate.ts";

export interface Services {
  keys: KeyDirectory;
  snapshots: SnapshotStore;
  events: EventQueue;
  ingest: Fetcher;
  admin: Fetcher;
  nowMs: () => number;
}

const anyKey = { kinds: ["server", "client", "admin"] } as const;

/** Events, and what is known of their way. */
const ingestPaths = [
  "/api/v1/events/*",
  "/api/v1/dead-letters/*",
  "/api/v1/rebuilds",
  "/api/v1/health",
];

export function evalApp({ keys, snapshots, events, ingest, admin, nowMs }: Services) {
  const app = createApp<object>();
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.post("/api/v1/evaluate", async (c) => {
    const principal = await authenticate(c.req.raw.headers, keys, anyKey);
    if (!principal.ok) return reply(c, principal.problem);
    const body = await readJson(c.req.raw, evaluateBody, limits.evaluateBodyBytes);
    if (!body.ok) return reply(c, body.problem);
    const { environment, key } = principal.value;
    const now = nowMs();
    const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const snapshot = await snapshotOrNull(snapshots, environment, now, waitUntil);
    if (snapshot === null) {
      return reply(c, {
        code: "unavailable",
        detail:
          "The environment's configuration is not available; use your defaults and try again.",
        retryAfterSeconds: 2,
      });
    }
    const source = key.kind === "client" ? "client" : "server";
    const { body: answered, exposures } = answer(snapshot, body.value, { nowMs: now, source });
    if (exposures.length > 0) {
      const { version } = snapshot;
      waitUntil(send(events, { environment, version, receivedAtMs: now, events: exposures }));
    }
    c.header("x-edgewise-version", String(snapshot.version));
    c.header("age", String(Math.floor(snapshot.ageMs / 1_000)));
    return c.json(answered);
  });

  app.on("ALL", ingestPaths, (c) => forward(c, ingest));
  app.all("*", (c) => forward(c, admin));
  return app;
}

/** Null when there is nothing to serve from: an environment without a snapshot, or a cold isolate while KV fails. */
async function snapshotOrNull(
  snapshots: SnapshotStore,
  ...request: Parameters<SnapshotStore["get"]>
) {
  try {
    return await snapshots.get(...request);
  } catch (error) {
    console.error(JSON.stringify({ event: "snapshot-unavailable", error: String(error) }));
    return null;
  }
}

/** After the answer: a queue that refuses costs the exposure, which is logged, never the evaluation. */
async function send(events: EventQueue, sent: SentEvents): Promise<void> {
  try {
    await events.send(sent);
  } catch (error) {
    console.error(
      JSON.stringify({ event: "exposures-lost", count: sent.events.length, error: String(error) }),
    );
  }
}
