/// <reference types="node" />
/**
 * How old results are while events pour in: the whole of Edgewise as `npm start` runs it, its cron once a minute, and as many events as it folds.
 * An answer that has counted so many events is as old as the acknowledgement of the first one after them: `node bench/freshness.ts [minutes]`.
 */
import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod/mini";
import { resultsShape, startSystem } from "../test/harness.ts";
import { postBatch } from "./post-batch.ts";
import { seeded } from "./stats-random.ts";

const minutes = Number(process.argv[2] ?? 4);
const CONNECTIONS = 6;
const BATCH = 1_000;
/** Sending waits while more events than this are on their way, as in bench/events.ts. */
const UNFOLDED = 200_000;
const TICK_MS = 60_000;
const POLL_MS = 1_000;
/** What is promised. */
const MOST_MS = 5 * 60_000;
const experiment = "fresh";
const health = z.object({ intake: z.object({ foldedEvents: z.number() }) });

const system = await startSystem();
const random = seeded(1);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** Acknowledged in all, by when. */
const acknowledged: { atMs: number; events: number }[] = [];
let accepted = 0;
let units = 0;
let foldedEvents = 0;
const sending = new AbortController();

async function define(): Promise<void> {
  const post = (path: string, body: object) =>
    system.expectOk(z.unknown(), system.call("POST", `/api/v1${path}`, { body }));
  await post("/metrics", { key: "views", type: "mean", event: "view", aggregation: "count" });
  await post("/experiments", {
    key: experiment,
    variants: [
      { key: "a", weight: 50, value: "A", isControl: true },
      { key: "b", weight: 50, value: "B" },
    ],
    metrics: { primary: ["views"] },
    plan: { maximumSampleSize: 100_000_000, looks: 5 },
  });
  await post(`/experiments/${experiment}/start`, {});
}

/** Half of them are first exposures, the others outcomes of units that were exposed before. */
function nextEvents(): object[] {
  const timestamp = new Date().toISOString();
  const exposedBefore = units;
  const exposures = Array.from({ length: exposedBefore === 0 ? BATCH : BATCH / 2 }, () => {
    const unit = units++;
    const variant = unit % 2 === 0 ? "a" : "b";
    return { type: "exposure", experiment, variant, unit: `u${unit}`, timestamp };
  });
  const outcomes = Array.from({ length: BATCH - exposures.length }, () => {
    const unit = `u${Math.floor(random.uniform() * exposedBefore)}`;
    return { type: "outcome", id: crypto.randomUUID(), name: "view", unit, timestamp };
  });
  return [...exposures, ...outcomes];
}

async function send(): Promise<void> {
  while (!sending.signal.aborted) {
    if (accepted - foldedEvents > UNFOLDED) {
      await pause(100);
      continue;
    }
    const url = `${system.runner.url}/api/v1/events/batch`;
    await postBatch({ url, key: system.adminKey, agent }, JSON.stringify({ events: nextEvents() }));
    accepted += BATCH;
    acknowledged.push({ atMs: Date.now(), events: accepted });
  }
}

async function tick(): Promise<void> {
  while (!sending.signal.aborted) {
    const next = pause(TICK_MS);
    await system.runner.tick(new Date());
    await next;
  }
}

async function counted(): Promise<number> {
  const answer = await system.call("GET", `/api/v1/experiments/${experiment}/results`);
  if (answer.status === 404) return 0;
  const [views] = z.parse(resultsShape, answer.body).metrics;
  return Object.values(views?.variants ?? {}).reduce((all, { n, sum }) => all + n + sum, 0);
}

/** Since the acknowledgement of the first event that is not among so many. */
function ageMs(events: number): number {
  const first = acknowledged.find((each) => each.events > events);
  return first === undefined ? 0 : Date.now() - first.atMs;
}

try {
  await define();
  const startedMs = Date.now();
  const ages: number[] = [];
  const work = [tick(), ...Array.from({ length: CONNECTIONS }, send)];
  const watch = async () => {
    while (!sending.signal.aborted) {
      await pause(POLL_MS);
      const answer = system.call("GET", "/api/v1/health");
      ({ foldedEvents } = (await system.expectOk(health, answer)).intake);
      const age = ageMs(await counted());
      ages.push(age);
      if (Date.now() - startedMs > minutes * 60_000) sending.abort();
    }
  };
  await Promise.all([watch(), ...work]);
  const seconds = (Date.now() - startedMs) / 1_000;
  await system.runner.drained();
  await system.runner.tick(new Date());
  if ((await counted()) !== accepted) throw new Error(`${await counted()} of ${accepted} counted`);
  const sorted = ages.toSorted((a, b) => a - b);
  const at = (share: number) =>
    `${Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1_000)} s`;
  console.table({
    "events/s": Math.round(accepted / seconds),
    events: accepted,
    "age of results, median": at(0.5),
    "95 %": at(0.95),
    largest: at(1),
  });
  if ((sorted.at(-1) ?? 0) > MOST_MS) process.exitCode = 1;
} finally {
  agent.destroy();
  await system.destroy();
}
