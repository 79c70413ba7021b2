/**
 * Counts a shard anew from the archive, beside what it has counted, and puts the one in the place of the other when they differ.
 * It goes step by step, a queue message each: a step that is killed is taken again, one that is taken twice counts once.
 * Consumers go on folding. From a moment on they fold into both (`beginMirroring`), and then the archive is read to its end:
 * whatever was folded before that moment was archived before it.
 */

import type { RebuildMessage } from "../../contracts/rebuild-message.ts";
import type { ArchivedEvent } from "../../contracts/archived-event.ts";
import type { EventBatch } from "../../counting/fold.ts";
import type { CompiledPlan } from "../../counting/plan.ts";
import type { ArchiveReader } from "../../stores/archive-reader.ts";
import { rewound } from "../../stores/archive-reader.ts";
import type { RebuildDifference, RebuildResult } from "../../stores/rebuild-difference.ts";
import { experimentKey } from "../../stores/rebuild-store.ts";
import type { Rebuild, RebuildStep, RebuildStore } from "../../stores/rebuild-store.ts";

export interface RebuildShard {
  rebuilds: RebuildStore;
  /** Into the rebuild's tables alone. */
  fold: (plans: ReadonlyMap<string, CompiledPlan>, batches: readonly EventBatch[]) => Promise<void>;
  difference: (experiments: readonly string[]) => Promise<RebuildDifference>;
}

export interface RebuildServices {
  shard: (index: number) => RebuildShard;
  archive: ArchiveReader;
  /** What counts in an environment now. */
  plan: (environment: string) => Promise<CompiledPlan>;
  nowMs: () => number;
}

/** Of one message: ten of them in one invocation stay inside its CPU time, its 10,000 requests and its 1,000 queries. */
const eventsAStep = 50_000;
const pagesAStep = 250;
/** Of one fold: it holds the documents of as many units, with their past. */
const eventsAFold = 10_000;
const removalsAStep = 10;
/** An object may become visible so much later than its key says. */
const overlapMs = 15 * 60_000;

/** Whether there is a next step, for a message of its own. */
export async function rebuild(
  services: RebuildServices,
  { shard: index, id }: RebuildMessage,
): Promise<boolean> {
  const shard = services.shard(index);
  const at = await shard.rebuilds.last();
  if (at === null || at.id !== id) return false;
  switch (at.status) {
    case "emptying":
      return empty(services, shard, at);
    case "reading":
    case "catching-up":
      return read(services, index, at);
    case "comparing":
      return compare(services, index, at);
    case "tidying":
      return empty(services, shard, at);
    case "done":
      return false;
    default:
      return at.status satisfies never;
  }
}

async function empty(
  { plan, nowMs }: RebuildServices,
  { rebuilds }: RebuildShard,
  at: Rebuild,
): Promise<boolean> {
  for (let removal = 0; removal < removalsAStep; removal++) {
    const left = await rebuilds.empty(at);
    if (left === "elsewhere") return false;
    if (left === "more") continue;
    if (at.status === "tidying") {
      await rebuilds.step(at, { status: "done", nowMs: nowMs() });
      return false;
    }
    const { fingerprint } = await plansOf(await rebuilds.environments(), plan);
    return rebuilds.step(at, { status: "reading", cursor: "", plans: fingerprint, nowMs: nowMs() });
  }
  return rebuilds.step(at, { status: at.status, nowMs: nowMs() });
}

async function read(services: RebuildServices, index: number, at: Rebuild): Promise<boolean> {
  const { archive, nowMs } = services;
  const { rebuilds } = services.shard(index);
  const folder = folderOf(services, index);
  let cursor = at.cursor;
  let pages = 0;
  const toEnd = nowMs();
  for await (const page of archive.read(index, at.cursor, toEnd)) {
    await folder.add(page.events);
    if (page.cursor === null) continue;
    cursor = page.cursor;
    if (folder.events < eventsAStep && ++pages < pagesAStep) continue;
    await folder.finish();
    return rebuilds.step(at, {
      status: at.status,
      cursor,
      events: folder.events,
      nowMs: nowMs(),
    });
  }
  await folder.finish();
  const ended = { events: folder.events, nowMs: nowMs() };
  return at.status === "reading"
    ? rebuilds.beginMirroring(at, {
        ...ended,
        status: "catching-up",
        cursor: rewound(cursor, overlapMs),
      })
    : rebuilds.step(at, { ...ended, status: "comparing", cursor });
}

/** Folds what it is given, many events at a time. */
function folderOf({ plan, shard }: RebuildServices, index: number) {
  const { fold } = shard(index);
  const plans = new Map<string, CompiledPlan>();
  let waiting: ArchivedEvent[] = [];
  let events = 0;

  async function finish(): Promise<void> {
    const batches = batchesOf(waiting);
    waiting = [];
    for (const { environment } of batches) {
      if (!plans.has(environment)) plans.set(environment, await plan(environment));
    }
    if (batches.length > 0) await fold(plans, batches);
  }

  return {
    finish,
    async add(some: readonly ArchivedEvent[]): Promise<void> {
      events += some.length;
      for (const event of some) waiting.push(event);
      if (waiting.length >= eventsAFold) await finish();
    },
    get events() {
      return events;
    },
  };
}

function batchesOf(events: readonly ArchivedEvent[]): EventBatch[] {
  const batches: (EventBatch & { events: ArchivedEvent[] })[] = [];
  for (const event of events) {
    const { environment, receivedAtMs } = event;
    const last = batches.at(-1);
    if (last?.environment === environment && last.receivedAtMs === receivedAtMs) {
      last.events.push(event);
    } else {
      batches.push({ environment, receivedAtMs, events: [event] });
    }
  }
  return batches;
}

async function compare(services: RebuildServices, index: number, at: Rebuild): Promise<boolean> {
  const { plan, nowMs } = services;
  const { rebuilds, difference } = services.shard(index);
  const { fingerprint, experiments } = await plansOf(await rebuilds.environments(), plan);
  if (fingerprint !== at.plans) {
    tell("rebuild-restarted", index, at, { because: "what is counted has changed meanwhile" });
    return rebuilds.finish(at, { status: "emptying", cursor: "", nowMs: nowMs() }, null);
  }
  const found = await difference(experiments);
  const isSwapped = found.rows > 0 && found.incomplete.length === 0;
  const result: RebuildResult = {
    ...found,
    experiments: found.experiments.slice(0, 20),
    swapped: isSwapped,
  };
  const to: RebuildStep = {
    status: "tidying",
    difference: JSON.stringify(result),
    nowMs: nowMs(),
  };
  const isMine = await rebuilds.finish(at, to, isSwapped ? { experiments } : null);
  if (isMine) tell("rebuild-compared", index, at, result);
  return isMine;
}

/** Everything that decides what a cell holds; a pause or a new flag changes the version alone. */
async function plansOf(environments: readonly string[], plan: RebuildServices["plan"]) {
  const experiments: string[] = [];
  const said: unknown[] = [];
  for (const environment of environments.toSorted()) {
    const compiled = await plan(environment);
    for (const { key, unit, dimensions, phases } of compiled.experiments.values()) {
      experiments.push(experimentKey(environment, key));
      const metrics = phases.map((phase) => [phase.phase, phase.variants, phase.metrics]);
      said.push([environment, key, unit, dimensions, metrics]);
    }
  }
  return { experiments, fingerprint: await digestOf(JSON.stringify(said)) };
}

async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tell(event: string, shard: number, { id, reason }: Rebuild, more: object): void {
  console.log(JSON.stringify({ event, shard, id, reason, ...more }));
}
