/** Composition root of the ingest worker: events in over HTTP, out of the queues into archive and shards, dead letters aside. */

import type {
  D1Database,
  ExportedHandler,
  KVNamespace,
  MessageBatch,
  Queue,
  R2Bucket,
} from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import { countingPlanStore } from "../../stores/counting-plan-store.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import { deadLetterStore } from "../../stores/dead-letter-store.ts";
import { eventArchive } from "../../stores/event-archive.ts";
import { eventQueue } from "../../stores/event-queue.ts";
import { keyStore } from "../../stores/key-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { queueBacklogs } from "../../stores/queue-backlog.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { shardHealths } from "../../stores/shard-health.ts";
import { unitShard } from "../../stores/unit-shard.ts";
import { consume } from "./consume.ts";
import { deadLetterRoutes } from "./dead-letters.ts";
import { healthRoutes } from "./health.ts";
import type { HealthServices } from "./health.ts";
import { intakeApp } from "./intake.ts";
import { putAllAside } from "./put-aside.ts";
import { rebuildRoutes } from "./rebuilds.ts";

export interface Env {
  CONFIG: KVNamespace;
  ARCHIVE: R2Bucket;
  [events: `EVENTS_${number}`]: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
}

interface Memory {
  app: ReturnType<typeof ingestApp>;
  plans: CountingPlanStore;
}

/** By the bindings object, which is one for the life of the isolate; holds nothing of any one request. */
const memories = new WeakMap<Env, Memory>();

function memoryOf(env: Env): Memory {
  const known = memories.get(env);
  if (known !== undefined) return known;
  const plans = countingPlanStore(env.CONFIG);
  const memory = { app: ingestApp(env, plans), plans };
  memories.set(env, memory);
  return memory;
}

/** Events, and what is known of their way; dead letters, because archive and queues are bound here and nowhere else. */
function ingestApp(env: Env, plans: CountingPlanStore) {
  const keys = keyStore(env.CONFIG);
  const queues = numberedBindings(env, "EVENTS_");
  const events = eventQueue(queues, "refused-events");
  const letters = deadLetterStore(env.ARCHIVE);
  const rebuildStores = numberedBindings(env, "METRICS_").map(rebuildStore);
  const wait = (ms: number) => scheduler.wait(ms);
  return intakeApp({ keys, plans, events, nowMs, wait })
    .route("/api/v1/dead-letters", deadLetterRoutes({ keys, letters, events, nowMs }))
    .route("/api/v1/health", healthRoutes({ keys, observe: observer(env), nowMs }))
    .route("/api/v1/rebuilds", rebuildRoutes({ keys, shards: rebuildStores, nowMs, newId: uuid }));
}

function observer(env: Env): HealthServices["observe"] {
  const letters = deadLetterStore(env.ARCHIVE);
  return async (environment, sinceHour) => {
    const [backlogs, shards, deadLetters] = await Promise.all([
      queueBacklogs(numberedBindings(env, "EVENTS_")),
      shardHealths(numberedBindings(env, "METRICS_"), environment, sinceHour),
      letters.list(countedLetters).catch((error: unknown) => {
        console.error(JSON.stringify({ event: "dead-letters-unavailable", error: String(error) }));
        return null;
      }),
    ]);
    return { backlogs, shards, deadLetters };
  };
}

/** More dead letters than this are "more" in the health report. */
const countedLetters = 500;

const nowMs = () => Date.now();

/** The shard is the number at the end of its queue's name: edgewise-events-3 is folded into METRICS_3. */
async function consumeShard(batch: MessageBatch, shardIndex: number, env: Env): Promise<void> {
  const database = numberedBindings(env, "METRICS_")[shardIndex];
  if (!database) throw new Error(`${batch.queue} has no database METRICS_${shardIndex}`);
  await consume(batch, {
    archive: eventArchive(env.ARCHIVE),
    letters: deadLetterStore(env.ARCHIVE),
    plans: memoryOf(env).plans,
    shard: unitShard(database),
    shardIndex,
    nowMs,
  });
}

export default {
  fetch: (request, env, context) => memoryOf(env).app.fetch(request, env, context),

  async queue(batch, env) {
    const shard = /-events-(\d+)$/.exec(batch.queue)?.[1];
    await (shard === undefined
      ? putAllAside(batch, deadLetterStore(env.ARCHIVE), nowMs())
      : consumeShard(batch, Number(shard), env));
  },
} satisfies ExportedHandler<Env>;
