import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { compilePlan } from "../../counting/plan.ts";
import type { CountedEvent, CountingPlan } from "../../counting/types.ts";
import { archivedBefore } from "../../stores/archived-experiments.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { shardRetention } from "../../stores/shard-retention.ts";
import { unitShard } from "../../stores/unit-shard.ts";
import { bought, day, exposed, hour, planOf, start } from "../../test/checkout-events.ts";
import { planRetirements, retire } from "./retire.ts";

const [checkout] = planOf().experiments;
if (!checkout) throw new Error("no experiment");
const both: CountingPlan = { ...planOf(), experiments: [checkout, { ...checkout, key: "old" }] };
const asOfMs = start + 100 * day + 4 * hour;
const archived = [{ environment: "e", experiment: "old" }];

async function fold(...events: CountedEvent[]) {
  const plans = new Map([["e", compilePlan(both)]]);
  const batch = { environment: "e", receivedAtMs: start, events };
  await unitShard(env.METRICS_0).fold(plans, [batch], start);
}

const services = (d1: D1Database = env.METRICS_0) => ({
  shard: () => ({ retention: shardRetention(d1), rebuilds: rebuildStore(d1) }),
  archivedBefore: async () => archived,
  plan: async () => compilePlan(planOf()),
});
const message = { v: 1, task: "retire", shard: 0, asOfMs, days: 30, after: "" } as const;

const count = async (table: string, where = "true") =>
  env.METRICS_0.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).first<number>("n");
const unitKeys = async () => {
  const { results } = await env.METRICS_0.prepare("SELECT key FROM units").all<{ key: string }>();
  return results.map(({ key }) => key.split(":")[1]);
};

beforeEach(async () => {
  const tables = ["units", "populations", "cells", "tallies", "activity", "counters", "rebuilds"];
  await env.METRICS_0.batch([
    ...tables.map((table) => env.METRICS_0.prepare(`DELETE FROM ${table}`)),
    env.METRICS_0.prepare("UPDATE meta SET mirrored = 0"),
  ]);
});

describe("what an experiment counted that was archived long ago", () => {
  const units = () => [
    exposed({ experiment: "old", unit: "gone" }),
    exposed({ experiment: "old", unit: "both" }),
    exposed({ unit: "both" }),
    exposed({ unit: "kept" }),
    bought(start, 1, { unit: "unexposed" }),
    bought(start, 1, { unit: "gone" }),
  ];

  test("is removed with the units that only it exposed; the others and their rows stay", async () => {
    await fold(...units());
    expect(await retire(services(), message)).toBe(null);
    expect(await unitKeys()).toEqual(["both", "kept"]);
    for (const table of ["populations", "cells", "activity"]) {
      expect(await count(table, "experiment = 'old'")).toBe(0);
    }
    expect(await count("populations", "experiment = 'checkout' AND dimension = ''")).toBe(1);
    expect(await retire(services(), message)).toBe(null);
    expect(await unitKeys()).toEqual(["both", "kept"]);
  });

  test("is kept for good unless days are configured", async () => {
    await fold(...units());
    expect(await retire(services(), { ...message, days: null })).toBe(null);
    expect(await count("units")).toBe(4);
    expect(await count("populations", "experiment = 'old' AND dimension = ''")).toBe(1);
  });

  test("is removed page by page, and a message goes on where another stopped", async () => {
    const many = Array.from({ length: 4_500 }, (_, i) =>
      exposed({ experiment: "old", unit: `u${i}` }),
    );
    await fold(...many, exposed({ unit: "zzz" }));
    const retention = shardRetention(env.METRICS_0);
    const first = await retention.retireUnits("", () => true);
    expect(first.units).toBe(2_000);
    expect(await count("units")).toBe(2_501);
    expect(await retire(services(), { ...message, after: first.next ?? "" })).toBe(null);
    expect(await unitKeys()).toEqual(["zzz"]);
  });

  test("is read a few megabytes at a time, however large its units are", async () => {
    const large = ["a", "b", "c", "d"];
    await fold(...large.map((unit) => exposed({ experiment: "old", unit })));
    await env.METRICS_0.prepare("UPDATE units SET state = state || ?1")
      .bind("x".repeat(900_000))
      .run();
    const retention = shardRetention(env.METRICS_0);
    const first = await retention.retireUnits("", () => true);
    expect(first.units).toBe(3);
    const second = await retention.retireUnits(first.next ?? "", () => true);
    expect(second.units).toBe(1);
    expect(await retention.retireUnits(second.next ?? "", () => true)).toMatchObject({
      units: 0,
      next: null,
    });
  });

  test("waits while a rebuild catches up, which makes units of its own", async () => {
    await fold(...units());
    await env.METRICS_0.prepare("UPDATE meta SET mirrored = 1 WHERE id = 2").run();
    await retire(services(), message);
    expect(await count("units")).toBe(4);
  });

  test("but not a unit that a consumer writes between reading and removing", async () => {
    await fold(exposed({ experiment: "old", unit: "back" }));
    let batches = 0;
    const overtaken = Object.create(env.METRICS_0, {
      prepare: { value: (sql: string) => env.METRICS_0.prepare(sql) },
      batch: {
        value: async (statements: D1PreparedStatement[]) => {
          if (++batches === 2) await fold(exposed({ unit: "back" }));
          return env.METRICS_0.batch(statements);
        },
      },
    }) as D1Database;
    const all = services();
    await retire(
      {
        ...all,
        shard: () => ({ ...all.shard(), retention: shardRetention(overtaken) }),
      },
      message,
    );
    expect(await unitKeys()).toEqual(["back"]);
  });
});

test("old counters and rebuilds that ended go in any case", async () => {
  const counter = "INSERT INTO counters VALUES ('e', ?1, 'folded-events', 1)";
  for (const days of [29, 31]) {
    const hours = Math.floor((asOfMs - days * day) / hour);
    await env.METRICS_0.prepare(counter).bind(hours).run();
  }
  await rebuildStore(env.METRICS_0).request("1", "old", start);
  await env.METRICS_0.prepare("UPDATE rebuilds SET status = 'done', stepped_at_ms = ?1")
    .bind(start)
    .run();
  await rebuildStore(env.METRICS_0).request("2", "under way", start);
  await retire(services(), { ...message, days: null });
  expect(await count("counters")).toBe(1);
  expect(await count("rebuilds")).toBe(1);
});

test("a message a shard, in one minute of the day; days that are none are refused at any time", () => {
  expect(planRetirements(2, 30, asOfMs)).toEqual([message, { ...message, shard: 1 }]);
  expect(planRetirements(1, 0, asOfMs)).toEqual([{ ...message, days: null }]);
  expect(planRetirements(2, 30, asOfMs + 60_000)).toEqual([]);
  for (const days of ["30", -1, 1.5]) {
    expect(() => planRetirements(1, days, start)).toThrow(RangeError);
  }
});

test("experiments archived before an instant are found in CONTROL", async () => {
  await env.CONTROL.batch([
    env.CONTROL.prepare("PRAGMA defer_foreign_keys = true"),
    env.CONTROL.prepare(
      "INSERT INTO customers (id, key, name, created_at) VALUES ('c', 'c', 'c', '')",
    ),
    env.CONTROL.prepare(
      "INSERT INTO environments (id, customer_id, key, name, version, published_version, created_at) VALUES ('e', 'c', 'e', 'e', 1, 0, '')",
    ),
    ...["archived", "archived", "completed"].map((status, i) =>
      env.CONTROL.prepare(
        "INSERT INTO experiments (environment_id, key, id, version, status, body, phases, created_at, updated_at) VALUES ('e', ?1, ?1, 1, ?2, '{}', '[]', '', ?3)",
      ).bind(`x${i}`, status, `2026-0${i + 1}-01T00:00:00.000Z`),
    ),
  ]);
  expect(await archivedBefore(env.CONTROL, "2026-01-15T00:00:00.000Z")).toEqual([
    { environment: "e", experiment: "x0" },
  ]);
});
