/** Composition root of the ingest worker: events in over HTTP, out of the queues into archive and shards, dead letters aside. */

import type {
  D1Database,
  ExportedHandler,
  KVNamespace,
  MessageBatch,
  Queue,
  R2Bucket,
} from "@cloudflare/workers-types";
import { countingPlanStore } from "../../stores/counting-plan-store.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import { eventArchive } from "../../stores/event-archive.ts";
import { eventQueue } from "../../stores/event-queue.ts";
import { keyStore } from "../../stores/key-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { unitShard } from "../../stores/unit-shard.ts";
import { consume } from "./consume.ts";
import { intakeApp } from "./intake.ts";
import { putAllAside } from "./put-aside.ts";

export interface Env {
  CONFIG: KVNamespace;
  ARCHIVE: R2Bucket;
  [events: `EVENTS_${number}`]: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
}

interface Memory {
  app: ReturnType<typeof intakeApp>;
  plans: CountingPlanStore;
}

/** By the bindings object, which is one for the life of the isolate; holds nothing of any one request. */
const memories = new WeakMap<Env, Memory>();

function memoryOf(env: Env): Memory {
  const known = memories.get(env);
  if (known !== undefined) return known;
  const plans = countingPlanStore(env.CONFIG);
  const app = intakeApp({
    keys: keyStore(env.CONFIG),
    plans,
    events: eventQueue(numberedBindings(env, "EVENTS_")),
    nowMs,
  });
  memories.set(env, { app, plans });
  return { app, plans };
}

const nowMs = () => Date.now();

/** The shard is the number at the end of its queue's name: edgewise-events-3 is folded into METRICS_3. */
async function consumeShard(batch: MessageBatch, shardIndex: number, env: Env): Promise<void> {
  const database = numberedBindings(env, "METRICS_")[shardIndex];
  if (!database) throw new Error(`${batch.queue} has no database METRICS_${shardIndex}`);
  await consume(batch, {
    archive: eventArchive(env.ARCHIVE),
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
      ? putAllAside(batch, eventArchive(env.ARCHIVE), nowMs())
      : consumeShard(batch, Number(shard), env));
  },
} satisfies ExportedHandler<Env>;
