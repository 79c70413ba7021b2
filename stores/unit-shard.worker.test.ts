import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { limits } from "../contracts/limits.ts";
import { decodeDocument } from "../counting/document.ts";
import { compilePlan } from "../counting/plan.ts";
import type { CountedEvent } from "../counting/types.ts";
import { bought, exposed, hour, planOf, start, startHour } from "../test/checkout-events.ts";
import { rowsOf, wipe } from "../test/worker-shard.ts";
import { readDictionary } from "./shard-names.ts";
import { foldIntoRebuild, unitShard } from "./unit-shard.ts";

const plan = planOf({ dimensions: ["country"] });
const plans = new Map([["e", compilePlan(plan)]]);
const batch = (...events: CountedEvent[]) => [{ environment: "e", receivedAtMs: start, events }];

const rows = async (table: string) =>
  (await env.METRICS_0.prepare(`SELECT * FROM ${table}`).all()).results;
const count = async (table: string) => (await rows(table)).length;
const sumOf = async (table: string, column: string) =>
  env.METRICS_0.prepare(`SELECT sum(${column}) AS sum FROM ${table} WHERE dimension = ''`).first(
    "sum",
  );

beforeEach(async () => {
  await env.METRICS_0.batch(
    ["units", "populations", "cells", "tallies", "activity", "counters", "progress"].map((table) =>
      env.METRICS_0.prepare(`DELETE FROM ${table}`),
    ),
  );
});

type Batch = (statements: D1PreparedStatement[]) => Promise<D1Result[]>;

/** The database with something between it and its batches; reads of documents and writes are batches. */
function intercepted(intercept: (run: Batch) => Batch): D1Database {
  return Object.create(env.METRICS_0, {
    prepare: { value: (sql: string) => env.METRICS_0.prepare(sql), writable: true },
    batch: { value: intercept((statements) => env.METRICS_0.batch(statements)) },
  }) as D1Database;
}

/** Documents are read by the first batch, and written by the second. */
function beforeBatch(nth: number, happen: () => Promise<unknown>): D1Database {
  let batches = 0;
  return intercepted((run) => async (statements) => {
    if (++batches === nth) await happen();
    return run(statements);
  });
}

const beforeTheWrite = (happen: () => Promise<unknown>) => beforeBatch(2, happen);

describe("a fold", () => {
  test("leaves a document, populations, cells and activity under the shard's next version", async () => {
    const [meta] = await rows("meta");
    await unitShard(env.METRICS_0).fold(
      plans,
      batch(exposed({ attributes: { country: "US" } }), bought(start + 1)),
      start,
    );
    const version = Number(meta?.["version"]) + 1;
    const place = { environment: "e", experiment: "checkout", phase: 1, variant: "control" };
    const cohort = { cohort_start: startHour, cohort_hours: 1 };
    expect(await rows("meta")).toEqual([
      { id: 1, version, mirrored: 0 },
      { id: 2, version: 0, mirrored: 0 },
    ]);
    expect(await rows("populations")).toEqual([
      { ...place, dimension: "", value: "", ...cohort, n: 1 },
      { ...place, dimension: "country", value: "US", ...cohort, n: 1 },
      { ...place, dimension: "sdk", value: "unknown", ...cohort, n: 1 },
      { ...place, dimension: "source", value: "server", ...cohort, n: 1 },
    ]);
    const once = { y: 1, yy: 1, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
    expect(await rows("cells")).toEqual([
      { ...place, dimension: "", value: "", ...cohort, metric: "purchased", ...once },
      { ...place, dimension: "country", value: "US", ...cohort, metric: "purchased", ...once },
    ]);
    expect(await rows("activity")).toEqual([
      { environment: "e", experiment: "checkout", version, last_event_ms: start + 1 },
    ]);
    expect((await rows("units")).map((row) => row["key"])).toEqual(["0:u1"]);
  });

  test("finds units again whatever their ids are made of", async () => {
    const ids = [
      '"',
      "\\",
      "'; DROP TABLE units;--",
      "Grüße 😀",
      "\u0000\u001f\n",
      "__proto__",
      "1",
      "$[0]",
    ];
    const events = ids.map((unit) => exposed({ unit, attributes: { country: unit } }));
    const shard = unitShard(env.METRICS_0);
    await shard.fold(plans, batch(...events), start);
    await shard.fold(plans, batch(...events), start);
    expect(await sumOf("populations", "n")).toBe(ids.length);
    expect(await count("units")).toBe(ids.length);
    await shard.fold(
      plans,
      batch(...ids.map((unit) => exposed({ unit, variant: "one_page" }))),
      start,
    );
    expect(await sumOf("populations", "n")).toBe(0);
  });

  test("writes no row for what changes nothing, not even a version", async () => {
    const shard = unitShard(env.METRICS_0);
    await shard.fold(plans, batch(exposed()), start);
    const meta = await rows("meta");
    await shard.fold(plans, batch(exposed(), exposed({ timeMs: start + hour })), start);
    expect(await rows("meta")).toEqual(meta);
  });

  test("notes how far it came and what it was told to count, whether or not a unit changes", async () => {
    const shard = unitShard(env.METRICS_0);
    const message = { environment: "e", receivedAtMs: start + hour, events: [exposed()] };
    await shard.fold(plans, [{ ...message, counts: { "rejected:invalid-event": 2 } }], start + 1);
    await shard.fold(plans, [message], start + 5);
    await shard.fold(plans, [{ ...message, receivedAtMs: start, events: [] }], start + 3);
    expect(await rows("progress")).toEqual([
      { id: 1, newest_event_ms: start, newest_received_ms: start + hour, folded_at_ms: start + 5 },
    ]);
    expect(await rows("counters")).toEqual([
      { environment: "e", hour: startHour + 1, name: "folded-events", n: 2 },
      { environment: "e", hour: startHour + 1, name: "rejected:invalid-event", n: 2 },
    ]);
  });

  test("that another writer overtakes reads again, and both are counted", async () => {
    const overtaken = beforeTheWrite(() =>
      unitShard(env.METRICS_0).fold(plans, batch(bought(start + 1)), start),
    );
    await unitShard(overtaken).fold(plans, batch(exposed()), start);
    expect(await sumOf("populations", "n")).toBe(1);
    expect(await sumOf("cells", "y")).toBe(1);
  });

  test("of a rebuild reads again when a consumer has given the same numbers to other names meanwhile", async () => {
    await wipe(env.METRICS_0);
    await env.METRICS_0.prepare("DELETE FROM names").run();
    const [first, second] = [
      batch(exposed({ variant: "one_page" }), bought(start + 1, 1, { kind: "device" })),
      batch(exposed({ unit: "u2", attributes: { country: "US" } }), bought(start + 1)),
    ];
    let overtakings = 0;
    const overtaken = beforeTheWrite(() => {
      overtakings++;
      return unitShard(env.METRICS_0).fold(plans, first, start);
    });
    await foldIntoRebuild(overtaken, plans, second);
    expect(overtakings).toBe(1);
    await foldIntoRebuild(env.METRICS_0, plans, first);
    await unitShard(env.METRICS_0).fold(plans, second, start);
    expect(await rowsOf(env.METRICS_0, "_rebuild")).toEqual(await rowsOf(env.METRICS_0));
    expect(await rowsOf(env.METRICS_0)).not.toEqual([]);
    const names = await rows("names");
    expect(
      new Set(names.map(({ environment, name }) => JSON.stringify([environment, name]))).size,
    ).toBe(names.length);
  });

  test("reads again when the documents that it finds are in names newer than its dictionary", async () => {
    await wipe(env.METRICS_0);
    await env.METRICS_0.prepare("DELETE FROM names").run();
    const earlier = batch(exposed({ attributes: { country: "US" } }), bought(start + 1));
    const later = batch(exposed({ timeMs: start + 2, attributes: { country: "FR" } }));
    let overtakings = 0;
    const overtaken = beforeBatch(1, () => {
      overtakings++;
      return unitShard(env.METRICS_0).fold(plans, earlier, start);
    });
    await unitShard(overtaken).fold(plans, later, start);
    expect(overtakings).toBe(1);
    const { results } = await env.METRICS_0.prepare(
      "SELECT value, n FROM populations WHERE dimension = 'country' AND n > 0",
    ).all();
    expect(results).toEqual([{ value: "US", n: 1 }]);
  });

  test("that finds names missing does not guess", async () => {
    await wipe(env.METRICS_0);
    await unitShard(env.METRICS_0).fold(plans, batch(exposed()), start);
    const lost = env.METRICS_0.prepare("DELETE FROM names WHERE environment = 'e' AND id = 0");
    await lost.run();
    const folded = unitShard(env.METRICS_0).fold(plans, batch(bought(start + 1)), start);
    await expect(folded).rejects.toThrow("are missing");
    await env.METRICS_0.prepare("DELETE FROM names").run();
  });

  test("that is always overtaken gives up, having counted nothing of its own", async () => {
    let others = 0;
    const overtake = () =>
      unitShard(env.METRICS_0).fold(plans, batch(exposed({ unit: `other${others++}` })), start);
    const always = intercepted((run) => async (statements) => {
      await overtake();
      return run(statements);
    });
    await expect(unitShard(always).fold(plans, batch(exposed()), start)).rejects.toThrow(
      "written by others",
    );
    expect(await sumOf("populations", "n")).toBe(others);
  });

  test("that D1 interrupts counts nothing, and counts once when it is folded again", async () => {
    const broken = beforeTheWrite(() => Promise.reject(new Error("D1_ERROR: internal error")));
    const events = batch(exposed(), bought(start + 1));
    await expect(unitShard(broken).fold(plans, events, start)).rejects.toThrow("internal error");
    expect(await count("units")).toBe(0);
    await unitShard(env.METRICS_0).fold(plans, events, start);
    await unitShard(env.METRICS_0).fold(plans, events, start);
    expect(await sumOf("populations", "n")).toBe(1);
    expect(await sumOf("cells", "y")).toBe(1);
  });

  test("reads by halves when a result is larger than D1 gives, and keeps parameters within its limit", async () => {
    const bytesOf = (text: string) => new TextEncoder().encode(text).length;
    const parameters: number[] = [];
    const reads: number[] = [];
    const limited = intercepted((run) => async (statements) => {
      const results = await run(statements);
      const read = results.flatMap(({ results }) => results as { states?: string }[]);
      reads.push(...read.map(({ states = "" }) => states.length));
      if ((reads.at(-1) ?? 0) > 2_000_000)
        throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
      return results;
    });
    limited.prepare = (sql) => {
      const statement = env.METRICS_0.prepare(sql);
      const bind = statement.bind.bind(statement);
      statement.bind = (...values) => {
        parameters.push(...values.filter((value) => typeof value === "string").map(bytesOf));
        return bind(...values);
      };
      return statement;
    };
    const units = Array.from({ length: 60 }, (_, i) => `u${i}`);
    const outcomes = (unit: string) =>
      Array.from({ length: 4_000 }, (_, i) => bought(start + i, 1, { unit }));
    for (const unit of units) {
      await unitShard(env.METRICS_0).fold(
        plans,
        batch(exposed({ unit }), ...outcomes(unit)),
        start,
      );
    }
    const shard = unitShard(limited);
    await shard.fold(
      plans,
      batch(...units.map((unit) => bought(start + 5_000, 1, { unit }))),
      start,
    );
    expect(Math.max(...reads)).toBeGreaterThan(2_000_000);
    expect(parameters.filter((bytes) => bytes > 250_000).length).toBeGreaterThan(1);
    expect(Math.max(...parameters)).toBeLessThanOrEqual(limits.d1ParameterBytes);
    expect(await sumOf("populations", "n")).toBe(60);
    expect(await sumOf("cells", "y")).toBe(60);
  });

  test("keeps 250 values of a dimension, the same ones in any order, and counts the others together", async () => {
    const events = Array.from({ length: 600 }, (_, i) => [
      exposed({ unit: `u${i}`, attributes: { country: `word ${i}` } }),
      bought(start + 1, 1, { unit: `u${i}` }),
    ]);
    const parts = [events.slice(0, 200), events.slice(200, 450), events.slice(450)];
    await wipe(env.METRICS_0);
    await wipe(env.METRICS_1);
    for (const part of parts) {
      await unitShard(env.METRICS_0).fold(plans, batch(...part.flat()), start);
    }
    for (const part of parts.toReversed()) {
      await unitShard(env.METRICS_1).fold(plans, batch(...part.flat()), start);
    }
    expect(await rowsOf(env.METRICS_1)).toEqual(await rowsOf(env.METRICS_0));
    const byValue = await env.METRICS_0.prepare(
      `SELECT p.value, p.n, c.y FROM populations p JOIN cells c USING (dimension, value, variant, cohort_start)
       WHERE dimension = 'country' ORDER BY p.n DESC`,
    ).all();
    expect(byValue.results[0]).toEqual({ value: "other", n: 350, y: 350 });
    expect(byValue.results.slice(1)).toHaveLength(250);
    for (const row of byValue.results.slice(1)) expect(row).toMatchObject({ n: 1, y: 1 });
  });

  test("of more documents than one transaction should write is cut, and one that is stopped in between is counted once", async () => {
    const units = Array.from({ length: 160 }, (_, i) => `u${i}`);
    const outcomes = (unit: string) =>
      Array.from({ length: 4_000 }, (_, i) => bought(start + i, 1, { unit }));
    const events = units.flatMap((unit) => [exposed({ unit }), ...outcomes(unit)]);
    const message = { environment: "e", receivedAtMs: start, events };
    await unitShard(env.METRICS_0).fold(plans, [message], start);
    let writes = 0;
    const stopping = intercepted((run) => async (statements) => {
      const results = await run(statements);
      const read = results.flatMap(({ results }) => results as { states?: string }[]);
      if (read.some(({ states = "" }) => states.length > 2_000_000)) throw new Error("too big");
      const isWrite = results.some(({ meta }) => meta.changes > 0);
      if (isWrite && ++writes === 1) throw new Error("D1_ERROR: internal error");
      return results;
    });
    const laterEvents = batch(...units.map((unit) => bought(start + 5_000, 1, { unit })));
    const later = () => unitShard(stopping).fold(plans, laterEvents, start);
    const names = (await readDictionary(env.METRICS_0, ["e"])).of("e");
    const withLater = async () =>
      (await rows("units")).filter(
        ({ state }) => decodeDocument(String(state), names).outcomes.all.length === 4_001,
      ).length;
    await expect(later()).rejects.toThrow("internal error");
    const some = await withLater();
    expect(some).toBeGreaterThan(80);
    expect(some).toBeLessThan(160);
    await later();
    expect(writes).toBe(2);
    expect(await withLater()).toBe(160);
    expect(await sumOf("populations", "n")).toBe(160);
    expect(await sumOf("cells", "y")).toBe(160);
  });

  test("takes many units at once", async () => {
    const events = Array.from({ length: 20_000 }, (_, i) => exposed({ unit: `unit-${i}` }));
    await unitShard(env.METRICS_0).fold(plans, batch(...events), start);
    expect(await sumOf("populations", "n")).toBe(20_000);
    const outcomes = events.map(({ unit }, i) => bought(start + i, 1, { unit }));
    await unitShard(env.METRICS_0).fold(plans, batch(...outcomes), start);
    expect(await sumOf("cells", "y")).toBe(20_000);
  });
});
