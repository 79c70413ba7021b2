/// <reference types="node" />
/**
 * What `bench/events.ts` measures: the ingest worker on its own bindings, queues and databases as its wrangler.toml has them, asked directly.
 * Without the local runner's journal, which every message would be written to and removed from: Queues are durable where it is deployed.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";
import * as z from "zod/mini";
import { hashSecret } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import type { CountingPlan } from "../counting/types.ts";
import { bundle } from "../scripts/local/bundle.ts";
import { migrate } from "../scripts/local/migrate.ts";
import { noteWorkerd } from "../scripts/local/workerd-process.ts";
import { watchHeap } from "./events-memory.ts";
import { shards } from "./events-workload.ts";
import type { CellTotal } from "./events-workload.ts";

const root = resolve(import.meta.dirname, "..");
const name = "edgewise-ingest";
export const key = "ew_server_bench_events";

/** "fold" is the consumer as it is deployed; "insert" makes a row of every event, and nothing else. */
export type Consumer = "fold" | "insert";

/** The worker with its databases' own count of the rows that a batch wrote. */
const script = (consumer: Consumer) => `
  import { numberedBindings } from "./stores/numbered-bindings.ts";
  import worker from "./workers/ingest/index.ts";
  ${consumer === "insert" ? 'import { insertEach } from "./bench/events-baseline.ts";' : ""}

  let rowsWritten = 0;
  const wrapped = new WeakMap();
  function envOf(env) {
    const known = wrapped.get(env);
    if (known !== undefined) return known;
    const counted = (db) => ({
      prepare: (sql) => db.prepare(sql),
      async batch(statements) {
        const results = await db.batch(statements);
        for (const { meta } of results) rowsWritten += meta.rows_written;
        return results;
      },
    });
    const entries = Object.entries(env).map(([name, value]) => [name, name.startsWith("METRICS_") ? counted(value) : value]);
    const made = Object.fromEntries(entries);
    wrapped.set(env, made);
    return made;
  }
  async function query(env, sql) {
    const all = await Promise.all(numberedBindings(env, "METRICS_").map((db) => db.prepare(sql).all()));
    return all.map(({ results, meta }) => ({ results, bytes: meta.size_after }));
  }
  export default {
    async fetch(request, env, context) {
      if (!request.url.endsWith("/bench")) return worker.fetch(request, envOf(env), context);
      return Response.json({ shards: await query(env, await request.text()), rowsWritten });
    },
    queue: (batch, env, context) =>
      ${consumer === "insert" ? "insertEach(batch, envOf(env))" : "worker.queue(batch, envOf(env), context)"},
  };
`;

const benchAnswer = z.object({
  shards: z.array(z.object({ results: z.array(z.unknown()), bytes: z.number() })),
  rowsWritten: z.number(),
});

export interface EventsSystem {
  /** Where events are posted. */
  url: string;
  /** Events that have been folded, those of redelivered messages again. */
  folded(): Promise<number>;
  rowsWritten(): Promise<number>;
  databaseBytes(): Promise<number>;
  cellTotals(): Promise<CellTotal[]>;
  /** Rows of the insert-per-event consumer. */
  insertedRows(): Promise<number>;
  /** Of the whole of workerd, the emulator's queues and databases included, since it started. */
  cpuSeconds(): number;
  /** Of the ingest worker's isolate, if it is watched. */
  heapPeakBytes(): { objects: number; buffers: number } | null;
  stop(): Promise<void>;
}

export interface SystemOptions {
  consumer: Consumer;
  /** Of an isolate, what V8 may fill with objects, in MB; asked for, the ingest worker's is watched. */
  heapMb?: number;
}

export async function startEvents(
  folder: string,
  plan: CountingPlan,
  { consumer, heapMb }: SystemOptions,
): Promise<EventsSystem> {
  const watchesHeap = heapMb !== undefined;
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] = watchesHeap ? `--max-old-space-size=${heapMb}` : "";
  const configured = workerOptions(resolve(root, "workers/ingest/wrangler.toml")).workerOptions;
  const { modulesRules: _rules, ...fromConfig } = configured;
  const forgetWorkerd = noteWorkerd(folder);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      resourcePersistencePath: folder,
      cf: false,
      telemetry: { enabled: false },
      handleStructuredLogs: ({ level, message }) => {
        if (level === "error") console.error(message);
      },
      ...(watchesHeap && { inspectorPort: 0 }),
      workers: [
        {
          ...fromConfig,
          name,
          modules: true,
          script: await bundle(script(consumer), { minify: true }),
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  const databases = await Promise.all(
    Array.from({ length: shards }, (_, s) => miniflare.getD1Database(`METRICS_${s}`, name)),
  );
  for (const database of databases) await migrate(database, "metrics");
  if (consumer === "insert") {
    const sql = await readFile(resolve(import.meta.dirname, "events-baseline.sql"), "utf8");
    for (const database of databases) {
      await database.batch(
        sql
          .split(";\n")
          .filter((each) => each.trim() !== "")
          .map((each) => database.prepare(each)),
      );
    }
  }
  const config = await miniflare.getKVNamespace("CONFIG", name);
  const apiKey = { v: 1, id: "bench", kind: "server", environment: plan.environment };
  await config.put(configKeys.apiKey(await hashSecret(key)), JSON.stringify(apiKey));
  await config.put(configKeys.counting(plan.environment), JSON.stringify(plan));
  const base = await miniflare.unsafeGetDirectURL(name);
  const heap = watchesHeap ? await watchHeap(await miniflare.getInspectorURL(), name) : null;

  const ask = async (sql: string) => {
    const answer = await fetch(new URL("/bench", base), { method: "POST", body: sql });
    return z.parse(benchAnswer, await answer.json());
  };
  const rows = async <T>(sql: string, schema: z.ZodMiniType<T>): Promise<T[]> =>
    (await ask(sql)).shards.flatMap(({ results }) => z.parse(z.array(schema), results));
  const sum = async (sql: string) =>
    (await rows(sql, z.object({ n: z.nullable(z.number()) }))).reduce(
      (all, { n }) => all + (n ?? 0),
      0,
    );

  return {
    url: new URL("/api/v1/events/batch", base).toString(),
    folded: () => sum("SELECT sum(n) AS n FROM counters WHERE name = 'folded-events'"),
    rowsWritten: async () => (await ask("SELECT 1")).rowsWritten,
    databaseBytes: async () =>
      (await ask("SELECT 1")).shards.reduce((all, { bytes }) => all + bytes, 0),
    cellTotals: async () =>
      rows(
        `SELECT c.experiment, c.metric, c.variant, sum(c.y) AS y, sum(c.yy) AS yy, sum(c.d) AS d,
           (SELECT sum(p.n) FROM populations p WHERE p.experiment = c.experiment AND p.variant = c.variant AND p.dimension = '') AS n
         FROM cells c WHERE c.dimension = '' GROUP BY c.experiment, c.metric, c.variant`,
        z.object({
          experiment: z.string(),
          metric: z.string(),
          variant: z.string(),
          n: z.number(),
          y: z.number(),
          yy: z.number(),
          d: z.number(),
        }),
      ),
    insertedRows: () =>
      sum("SELECT (SELECT count(*) FROM exposure) + (SELECT count(*) FROM outcome) AS n"),
    cpuSeconds: () => cpuSecondsOf(readFileSync(resolve(folder, "workerd.pid"), "utf8")),
    heapPeakBytes: () => heap?.peakBytes() ?? null,
    async stop() {
      heap?.stop();
      await miniflare.dispose();
      forgetWorkerd();
    },
  };
}

/** User and system time, which Linux tells in hundredths of a second. */
function cpuSecondsOf(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
