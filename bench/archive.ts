/// <reference types="node" />
/**
 * The archive in workerd, on R2 as the emulator keeps it on disk: rows a second and bytes a row of raw objects and of Parquet,
 * and the memory that compaction takes, as V8 accounts for it at every garbage collection.
 * Half of the rows are exposures as eval sends them, half outcomes with a value.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import * as z from "zod/mini";
import { bundle } from "../scripts/local/bundle.ts";

const BATCHES = 20;
const BATCH_ROWS = 50_000;
/** Of an isolate's 128 MB, what V8 may fill with objects before it must collect them; the rest is for buffers. */
const HEAP_MB = 64;
/** Midnight, 2026-01-05. */
const START_MS = Date.UTC(2026, 0, 5);

const worker = `
  import { eventArchive } from "./stores/event-archive.ts";
  import { rawArchive } from "./stores/raw-archive.ts";
  import { compactionStore } from "./stores/compaction-store.ts";
  import { planCompactions } from "./workers/analysis-cron/plan-compactions.ts";
  import { compact } from "./workers/analysis-cron/compact.ts";
  import { messageTexts } from "./test/message-texts.ts";
  import { seeded } from "./bench/stats-random.ts";

  const START_MS = ${START_MS};
  let messages = [];

  function prepare(batch) {
    const random = seeded(batch + 1).uniform;
    const pick = (values) => values[Math.floor(random() * values.length)];
    const event = (i) => {
      const unit = "user-" + Math.floor(random() * 1e6);
      const timeMs = START_MS + batch * 60_000 + i;
      return i % 2 === 0
        ? {
            type: "exposure", experiment: "checkout_redesign", phase: 1, variant: pick(["control", "one_page"]),
            kind: "targetingKey", unit, timeMs, source: "edge",
            attributes: {
              country: pick(["US", "CA", "DE", "FR", "BR"]), device: pick(["mobile", "desktop"]), platform: pick(["ios", "android", "web"]),
            },
          }
        : {
            type: "outcome", id: "order-" + Math.floor(random() * 2 ** 48).toString(36), name: "purchase",
            value: Math.round(random() * 20_000) / 100, timeMs, kind: "targetingKey", unit, source: "server",
          };
    };
    const events = Array.from({ length: ${BATCH_ROWS} }, (_, i) => event(i));
    messages = [];
    for (let i = 0; i < events.length; i += 500) {
      const receivedAtMs = events[i].timeMs + 40;
      const sent = { environment: "0197f0c1-7c3e-7000-8000-000000000001", version: 7, receivedAtMs, events: events.slice(i, i + 500) };
      messages.push(...messageTexts(sent));
    }
  }

  export default {
    async fetch(request, env) {
      const archive = { raw: rawArchive(env.ARCHIVE), compactions: compactionStore(env.ARCHIVE) };
      const { pathname, searchParams } = new URL(request.url);
      switch (pathname) {
        case "/prepare":
          prepare(Number(searchParams.get("batch")));
          return Response.json(null);
        case "/keep":
          await eventArchive(env.ARCHIVE).keep(messages, 0, START_MS);
          return Response.json(null);
        case "/plan":
          return Response.json(await planCompactions(archive.raw, archive.compactions, START_MS + 2 * 3_600_000));
        case "/compact":
          await compact(archive, await request.json());
          return Response.json(null);
        default: {
          const { objects } = await env.ARCHIVE.list({ prefix: searchParams.get("prefix") });
          return Response.json(objects.map(({ size }) => size));
        }
      }
    },
  };
`;

async function start(folder: string, v8Flags = "") {
  process.env["MINIFLARE_WORKERD_V8_FLAGS"] = v8Flags;
  const output: string[] = [];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: folder,
      cf: false,
      telemetry: { enabled: false },
      handleStructuredLogs: ({ message }) => output.push(message),
      workers: [
        {
          name: "bench",
          modules: true,
          script: await bundle(worker),
          compatibilityDate: "2026-11-01",
          r2Buckets: { ARCHIVE: "ARCHIVE" },
        },
      ],
    }),
  );
  await miniflare.ready;
  const call = async <T>(path: string, schema: z.ZodMiniType<T>, body?: object): Promise<T> => {
    const response = await miniflare.dispatchFetch(`http://bench${path}`, {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return z.parse(schema, await response.json());
  };
  return { call, output, stop: () => miniflare.dispose() };
}

const nothing = z.null();
const sizes = z.array(z.number());

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
}

/** The most that an isolate held when it began to collect, in MB: objects with their garbage, and buffers. */
function memoryPeak(lines: readonly string[]): { heap: number; buffers: number } {
  let peak = { heap: 0, buffers: 0 };
  const heaps = new Map<string, number>();
  const external = new Map<string, number>();
  for (const line of lines) {
    const isolate = /^\[\d+:(0x[\da-f]+)\]/.exec(line)?.[1];
    if (isolate === undefined) continue;
    const heap = / ms: .*? ([\d.]+) \([\d.]+\) -> /.exec(line)?.[1];
    if (heap !== undefined) heaps.set(isolate, Number(heap));
    const outside = /External memory reported: +(\d+) KB/.exec(line)?.[1];
    if (outside !== undefined) external.set(isolate, Number(outside) / 1_000);
    const stores = /Backing store memory: +(\d+) KB/.exec(line)?.[1];
    if (stores === undefined) continue;
    const buffers = Number(stores) / 1_000 + (external.get(isolate) ?? 0);
    const known = { heap: heaps.get(isolate) ?? 0, buffers };
    if (known.heap + known.buffers > peak.heap + peak.buffers) peak = known;
  }
  return peak;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const rows = BATCHES * BATCH_ROWS;
const row = (seconds: number, bytes: number, objects: number) => ({
  "rows/s": Math.round(rows / seconds),
  "bytes/row": Number((bytes / rows).toFixed(1)),
  objects,
});

const folder = await mkdtemp(join(tmpdir(), "edgewise-bench-"));
try {
  const writing = await start(folder);
  let keepSeconds = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    await writing.call(`/prepare?batch=${batch}`, nothing);
    keepSeconds += await timed(() => writing.call("/keep", nothing));
  }
  const raw = await writing.call("/sizes?prefix=raw/", sizes);
  await writing.stop();

  const flags = `--max-old-space-size=${HEAP_MB} --trace-gc --trace-gc-verbose`;
  const compacting = await start(folder, flags);
  const messages = await compacting.call("/plan", z.array(z.looseObject({})));
  const compactSeconds = await timed(async () => {
    for (const message of messages) await compacting.call("/compact", nothing, message);
  });
  const parquet = await compacting.call("/sizes?prefix=events/", sizes);
  await compacting.stop();

  console.table({
    "raw gzip NDJSON": row(keepSeconds, sum(raw), raw.length),
    "Parquet, from raw": row(compactSeconds, sum(parquet), parquet.length),
  });
  const { heap, buffers } = memoryPeak(compacting.output);
  console.log(
    `Compaction of ${messages.length} groups: at most ${Math.round(heap + buffers)} MB in the isolate, ${Math.round(heap)} MB of it objects with their garbage (collected at ${HEAP_MB} MB), ${Math.round(buffers)} MB buffers`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
