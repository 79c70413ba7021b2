import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { compilePlan } from "../../counting/plan.ts";
import type { CountedEvent, CountedMetric, CountingPlan } from "../../counting/types.ts";
import { archiveReader } from "../../stores/archive-reader.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { eventArchive } from "../../stores/event-archive.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { rebuildDifference } from "../../stores/rebuild-difference.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { foldIntoRebuild, unitShard } from "../../stores/unit-shard.ts";
import {
  bought,
  day,
  exposed,
  hour,
  planOf,
  purchased,
  start,
} from "../../test/checkout-events.ts";
import { messageTexts } from "../../test/message-texts.ts";
import { rowsOf, shardTables, wipe } from "../../test/worker-shard.ts";
import { compact } from "./compact.ts";
import { planCompactions } from "./plan-compactions.ts";
import { rebuild } from "./rebuild.ts";
import type { RebuildServices } from "./rebuild.ts";

const id = "019b8b74-1800-7441-9a0e-000000000001";
const message = { v: 1, task: "rebuild", shard: 0, id } as const;

let plan: CountingPlan;
let nowMs: number;

/** What the consumer does with a batch, in a database that may be another or tampered with. */
async function consume(events: CountedEvent[], db: D1Database = env.METRICS_0) {
  const received = messageTexts({ environment: "e", version: 1, receivedAtMs: nowMs, events });
  if (db !== env.METRICS_1) await eventArchive(env.ARCHIVE).keep(received, 0, nowMs);
  await fold(events, db);
}

async function fold(events: CountedEvent[], db: D1Database = env.METRICS_0) {
  const plans = new Map([["e", compilePlan(plan)]]);
  await unitShard(db).fold(plans, [{ environment: "e", receivedAtMs: nowMs, events }], nowMs);
}

function services(more: Partial<RebuildServices> = {}): RebuildServices {
  return {
    shard: () => ({
      rebuilds: rebuildStore(env.METRICS_0),
      fold: (plans, batches) => foldIntoRebuild(env.METRICS_0, plans, batches),
      difference: (experiments) => rebuildDifference(env.METRICS_0, experiments),
    }),
    archive: archiveReader(env.ARCHIVE),
    plan: async () => compilePlan(plan),
    nowMs: () => nowMs,
    ...more,
  };
}

const request = () => rebuildStore(env.METRICS_0).request(id, "test", nowMs);

/** Takes step after step to the end, and says what was found. */
async function rebuildAll(more: Partial<RebuildServices> = {}, between?: () => Promise<unknown>) {
  for (let step = 0; await rebuild(services(more), message); step++) {
    if (step > 50) throw new Error("it does not end");
    await between?.();
  }
  return found();
}

async function found() {
  const row = await env.METRICS_0.prepare("SELECT status, difference FROM rebuilds").first<{
    status: string;
    difference: string;
  }>();
  expect(row?.status).toBe("done");
  return JSON.parse(row?.difference ?? "null") as object;
}

/** As if all of it had been counted by today's plan from the beginning. */
async function afresh(...batches: CountedEvent[][]) {
  await wipe(env.METRICS_1);
  for (const events of batches) await fold(events, env.METRICS_1);
  return rowsOf(env.METRICS_1);
}

const same = { rows: 0, experiments: [], incomplete: [], swapped: false };
const differing = (rows: number) => ({
  rows,
  experiments: [{ environment: "e", experiment: "checkout", rows }],
  incomplete: [],
  swapped: true,
});

beforeEach(async () => {
  plan = planOf();
  nowMs = start + hour;
  await wipe(env.METRICS_0);
  const { objects } = await env.ARCHIVE.list();
  if (objects.length > 0) await env.ARCHIVE.delete(objects.map(({ key }) => key));
});

const first = () => [exposed(), exposed({ unit: "u2", variant: "one_page" }), bought(start + 1, 3)];
const revenue: CountedMetric = {
  ...purchased,
  key: "revenue",
  type: "mean",
  aggregation: "sum",
};

describe("in the ordinary case", () => {
  test("a rebuild finds no difference, changes nothing, and leaves nothing behind", async () => {
    const events = first();
    await consume(events);
    await consume(events);
    nowMs += 2 * hour;
    await consume([exposed({ variant: "one_page" }), bought(start + 2, 1, { unit: "u2" })]);
    const before = await rowsOf(env.METRICS_0);
    const versions = await env.METRICS_0.prepare("SELECT version FROM activity").all();
    await request();
    expect(await rebuildAll()).toEqual(same);
    expect(await rowsOf(env.METRICS_0)).toEqual(before);
    expect((await env.METRICS_0.prepare("SELECT version FROM activity").all()).results).toEqual(
      versions.results,
    );
    for (const table of shardTables) {
      const rest = env.METRICS_0.prepare(`SELECT count(*) AS n FROM ${table}_rebuild`);
      expect(await rest.first("n")).toBe(0);
    }
  });

  test("so it does when hours have become Parquet", async () => {
    const events = first();
    await consume([...events, exposed({ unit: "u3", phase: 1, attributes: { a: ["é", null] } })]);
    nowMs += 2 * hour;
    await consume([bought(start + 2, 1.5, { unit: "u2", properties: { sku: "x" } })]);
    const raw = rawArchive(env.ARCHIVE);
    const compactions = compactionStore(env.ARCHIVE);
    for (const each of await planCompactions(raw, compactions, nowMs)) {
      await compact({ raw, compactions }, each);
    }
    expect((await env.ARCHIVE.list({ prefix: "events/" })).objects).toHaveLength(1);
    expect((await env.ARCHIVE.list({ prefix: "raw/" })).objects).toHaveLength(1);
    await request();
    expect(await rebuildAll()).toEqual(same);
  });

  test("an empty shard is rebuilt, too", async () => {
    await request();
    expect(await rebuildAll()).toEqual(same);
  });
});

describe("what was counted otherwise is counted as the archive has it:", () => {
  test("a metric added to a running experiment", async () => {
    const events = first();
    await consume(events);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    expect(await rebuildAll()).toEqual(differing(1));
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
    const more = [bought(start + 5, 4, { unit: "u2" })];
    await consume(more);
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events, more));
  });

  test("a changed definition", async () => {
    const events = [...first(), bought(start + 2 * hour, 1, { unit: "u2" })];
    await consume(events);
    plan = planOf({ metrics: [{ ...purchased, windowMs: hour }], dimensions: ["country"] });
    await request();
    await rebuildAll();
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
  });

  test("events later than the consumers keep outcomes for", async () => {
    const many = Array.from({ length: 60 }, (_, i) => bought(start + 30 * day + i));
    const exposure = exposed({ source: "import" });
    await consume([exposure]);
    nowMs = start + 31 * day;
    await consume(many);
    const late = bought(start + 1, 1, { source: "import" });
    await consume([late]);
    expect((await rowsOf(env.METRICS_0)).some((row) => row.includes("purchased"))).toBe(false);
    await request();
    expect(await rebuildAll()).toEqual(differing(1));
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh([exposure, late]));
  });

  test("cells that were damaged; and every experiment is analysed again", async () => {
    await consume(first());
    const before = await rowsOf(env.METRICS_0);
    await env.METRICS_0.prepare("UPDATE cells SET y = y + 0.001").run();
    const seen = await env.METRICS_0.prepare("SELECT version FROM activity").first<number>(
      "version",
    );
    await request();
    expect(await rebuildAll()).toEqual(differing(1));
    expect(await rowsOf(env.METRICS_0)).toEqual(before);
    expect(
      await env.METRICS_0.prepare("SELECT version FROM activity").first<number>("version"),
    ).toBeGreaterThan(seen ?? 0);
  });
});

describe("consumers fold meanwhile:", () => {
  test("between all steps, and what they fold is in what takes over", async () => {
    const batches = [first()];
    await consume(batches[0] ?? []);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    let unit = 0;
    await rebuildAll({}, async () => {
      nowMs += 20 * 60_000;
      const events = [exposed({ unit: `m${unit}` }), bought(start + 9, 2, { unit: `m${unit++}` })];
      batches.push(events);
      await consume(events);
    });
    expect(unit).toBeGreaterThan(3);
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(...batches));
  });

  test("a fold that read before the mirror was there is made again with it", async () => {
    const batches = [first(), [bought(start + 3, 1, { unit: "u2" })]];
    await consume(batches[0] ?? []);
    await env.METRICS_0.prepare("UPDATE cells SET y = 9").run();
    await request();
    const rebuilds = rebuildStore(env.METRICS_0);
    while ((await rebuilds.last())?.status !== "reading") await rebuild(services(), message);
    let reads = 0;
    const paused = Object.create(env.METRICS_0, {
      prepare: { value: (sql: string) => env.METRICS_0.prepare(sql) },
      batch: {
        value: async (statements: D1PreparedStatement[]) => {
          // Its first batch reads documents; before it writes, the archive comes to its end.
          const results = await env.METRICS_0.batch(statements);
          if (++reads === 1) await rebuild(services(), message);
          return results;
        },
      },
    }) as D1Database;
    // Without an object in the archive: only the mirror can have it.
    await fold(batches[1] ?? [], paused);
    expect(reads).toBeGreaterThan(2);
    expect((await rebuilds.last())?.status).toBe("catching-up");
    await rebuildAll();
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(...batches));
  });

  test("a large batch goes into both in parts, and is counted once", async () => {
    await consume(first());
    await request();
    const rebuilds = rebuildStore(env.METRICS_0);
    while ((await rebuilds.last())?.status !== "catching-up") await rebuild(services(), message);
    const batch = (from: number) => ({
      environment: "e",
      receivedAtMs: nowMs,
      events: Array.from({ length: 3_000 }, (_, i) => exposed({ unit: `l${from + i}` })),
      counts: { "rejected:invalid-event": 1 },
    });
    const plans = new Map([["e", compilePlan(plan)]]);
    await env.METRICS_0.prepare("DELETE FROM counters").run();
    await unitShard(env.METRICS_0).fold(plans, [batch(0), batch(3_000), batch(6_000)], nowMs);
    expect(await rowsOf(env.METRICS_0, "_rebuild")).toEqual(await rowsOf(env.METRICS_0));
    const { results } = await env.METRICS_0.prepare("SELECT name, n FROM counters").all();
    expect(results).toEqual([
      { name: "folded-events", n: 9_000 },
      { name: "rejected:invalid-event", n: 3 },
    ]);
    expect(await rebuildAll()).toEqual(same);
  });

  test("an object whose key is older than what was read is found when the rebuild catches up", async () => {
    await consume(first());
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    const rebuilds = rebuildStore(env.METRICS_0);
    while ((await rebuilds.last())?.status !== "catching-up") await rebuild(services(), message);
    await env.METRICS_0.prepare("UPDATE meta SET mirrored = 0").run();
    nowMs -= 5 * 60_000;
    const late = [bought(start + 4, 7, { unit: "u2" })];
    await consume(late);
    nowMs += 5 * 60_000;
    await env.METRICS_0.prepare("UPDATE meta SET mirrored = 1 WHERE id = 2").run();
    await rebuildAll();
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh([exposed()], late, first()));
  });
});

describe("a step that is killed or taken twice", () => {
  test("anywhere is taken again, and the rebuild ends the same", async () => {
    const events = first();
    await consume(events);
    plan = planOf({ metrics: [purchased, revenue] });
    const statuses = ["emptying", "reading", "catching-up", "comparing", "tidying"];
    for (const victim of statuses) {
      await env.METRICS_0.prepare("DELETE FROM rebuilds").run();
      await env.METRICS_0.prepare("UPDATE cells SET y = 5").run();
      await request();
      const rebuilds = rebuildStore(env.METRICS_0);
      while ((await rebuilds.last())?.status !== victim) await rebuild(services(), message);
      const died = () => Promise.reject(new Error("killed"));
      const dying = services({
        shard: () => ({
          ...services().shard(0),
          rebuilds: { ...rebuilds, step: died, beginMirroring: died, finish: died },
        }),
      });
      await expect(rebuild(dying, message)).rejects.toThrow("killed");
      await rebuildAll();
      expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
    }
  });

  test("does not swap back what was swapped", async () => {
    const events = first();
    await consume(events);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    const rebuilds = rebuildStore(env.METRICS_0);
    while ((await rebuilds.last())?.status !== "comparing") await rebuild(services(), message);
    const stale = await rebuilds.last();
    const both = await Promise.all([rebuild(services(), message), rebuild(services(), message)]);
    expect(both.filter((isMine) => isMine)).toHaveLength(1);
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
    if (stale === null) throw new Error("no rebuild");
    const to = { status: "tidying", nowMs } as const;
    expect(await rebuilds.finish(stale, to, { experiments: [] })).toBe(false);
    expect(await rebuilds.empty(stale)).toBe("elsewhere");
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
    await rebuildAll();
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
  });

  test("at the same time by two consumers counts once", async () => {
    const events = first();
    await consume(events);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    for (let open = true; open;) {
      const taken = await Promise.all([1, 2].map(() => rebuild(services(), message)));
      open = taken.includes(true);
    }
    expect(await found()).toEqual(differing(1));
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
  });

  test("of an earlier rebuild does nothing", async () => {
    await request();
    const other = "019b8b74-1800-7441-9a0e-000000000000";
    expect(await rebuild(services(), { ...message, id: other })).toBe(false);
    expect(await rebuildStore(env.METRICS_0).request(other, "another", nowMs)).toBe(false);
  });
});

describe("nothing is replaced by less:", () => {
  test("an archive that lacks units that were counted is told, and the cells stay", async () => {
    await fold([exposed({ unit: "lost" })]);
    await consume(first());
    const before = await rowsOf(env.METRICS_0);
    await request();
    expect(await rebuildAll()).toEqual({
      rows: 3,
      experiments: [{ environment: "e", experiment: "checkout", rows: 3 }],
      incomplete: [{ environment: "e", experiment: "checkout" }],
      swapped: false,
    });
    expect(await rowsOf(env.METRICS_0)).toEqual(before);
  });

  test("an experiment that is no longer counted keeps its rows", async () => {
    const [checkout] = plan.experiments;
    if (!checkout) throw new Error("no experiment");
    plan = { ...plan, experiments: [checkout, { ...checkout, key: "archived" }] };
    await consume([...first(), exposed({ experiment: "archived", unit: "u9" })]);
    const before = await rowsOf(env.METRICS_0);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    expect(await rebuildAll()).toEqual(differing(1));
    const after = await rowsOf(env.METRICS_0);
    expect(after.filter((row) => row.includes("archived"))).toEqual(
      before.filter((row) => row.includes("archived")),
    );
  });

  test("when what is counted changes meanwhile, it begins anew", async () => {
    const events = first();
    await consume(events);
    plan = planOf({ metrics: [purchased, revenue] });
    await request();
    const rebuilds = rebuildStore(env.METRICS_0);
    while ((await rebuilds.last())?.status !== "comparing") await rebuild(services(), message);
    plan = planOf({ metrics: [revenue] });
    await rebuild(services(), message);
    expect(await rebuilds.last()).toMatchObject({ status: "emptying", cursor: "" });
    await rebuildAll();
    expect(await rowsOf(env.METRICS_0)).toEqual(await afresh(events));
  });
});
