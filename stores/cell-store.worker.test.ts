import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { compilePlan } from "../counting/plan.ts";
import type { CountedEvent } from "../counting/types.ts";
import { bought, exposed, hour, planOf, start, startHour } from "../test/checkout-events.ts";
import { wipe } from "../test/worker-shard.ts";
import { cellStore } from "./cell-store.ts";
import { unitShard } from "./unit-shard.ts";

const databases = [env.METRICS_0, env.METRICS_1];
const plans = new Map([["e", compilePlan(planOf({ dimensions: ["country"] }))]]);

const fold = (db: D1Database, ...events: CountedEvent[]) =>
  unitShard(db).fold(plans, [{ environment: "e", receivedAtMs: start + 9 * hour, events }], start);

const read = (experiment = "checkout", phase = 1) =>
  cellStore(databases).readFigures("e", experiment, phase);

beforeEach(async () => {
  for (const db of databases) await wipe(db);
});

test("where there is much, all units come by cohort, each value of a dimension once over all cohorts", async () => {
  const attributes = { country: "FR" };
  await fold(
    env.METRICS_0,
    exposed({ attributes }),
    exposed({ unit: "u2", timeMs: start + 3 * hour, attributes }),
    bought(start + 1),
    bought(start + 4 * hour, 1, { unit: "u2" }),
  );
  const [shard, other] = await read();
  const place = { variant: "control", dimension: "country", value: "FR" };
  const all = { variant: "control", dimension: "", value: "", cohortHours: 1, n: 1 };
  expect(shard?.populations).toEqual([
    { ...all, cohortStart: startHour },
    { ...all, cohortStart: startHour + 3 },
    { ...place, cohortStart: startHour, cohortHours: 4, n: 2 },
    expect.objectContaining({ dimension: "sdk", value: "unknown", n: 2 }),
    expect.objectContaining({ dimension: "source", value: "server", n: 2 }),
  ]);
  expect(shard?.cells.map(({ dimension, cohortStart, y }) => [dimension, cohortStart, y])).toEqual([
    ["", startHour, 1],
    ["", startHour + 3, 1],
    ["country", startHour, 2],
  ]);
  const zeros = { d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
  expect(shard?.cells.at(-1)).toEqual({
    ...place,
    ...zeros,
    metric: "purchased",
    cohortStart: startHour,
    cohortHours: 4,
    y: 2,
    yy: 2,
  });
  expect(other).toEqual({
    activity: null,
    populations: [],
    cells: [],
    tallies: [],
    rebuiltAtMs: null,
  });
});

test("every sum arrives as the double that it is, every name as the text that it is", async () => {
  const value = `Nowhere "1" | ' \u001f é`;
  const sums = {
    y: 0.1 + 0.2,
    yy: 1 / 3,
    d: 2 ** 53 - 1,
    dd: 1e300,
    yd: -5e-324,
    x: 123456789.125,
    xx: 2 ** 63,
    xy: -1.7976931348623157e308,
  };
  const names = Object.keys(sums);
  const row = ["e", "checkout", 1, "control", "country", value, startHour, 1, "purchased"];
  const insert = `INSERT INTO cells (environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours, metric, ${names.join(", ")})
    VALUES (${Array.from({ length: 17 }, () => "?").join(", ")})`;
  await env.METRICS_0.prepare(insert)
    .bind(...row, ...Object.values(sums))
    .run();
  const [shard] = await read();
  expect(shard?.cells).toEqual([
    {
      variant: "control",
      dimension: "country",
      value,
      cohortStart: startHour,
      cohortHours: 1,
      metric: "purchased",
      ...sums,
    },
  ]);
});

test("a season of hours comes whole, in texts of a week", async () => {
  const hours = 24 * 92;
  await env.METRICS_0.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
     INSERT INTO populations (environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours, n)
     SELECT 'e', 'checkout', 1, 'control', '', '', ?2 + i, 1, i + 1 FROM n`,
  )
    .bind(hours, startHour)
    .run();
  const [shard] = await read();
  expect(shard?.populations.map(({ cohortStart }) => cohortStart - startHour)).toEqual(
    Array.from({ length: hours }, (_, i) => i),
  );
  expect(shard?.populations.reduce((sum, { n }) => sum + n, 0)).toBe((hours * (hours + 1)) / 2);
});

test("where there is little, values come by cohort as well, with the same sums", async () => {
  const seconds = { unit: "u2", timeMs: start + 3 * hour };
  const attributes = { country: "FR" };
  await fold(
    env.METRICS_0,
    exposed({ attributes }),
    exposed({ ...seconds, attributes }),
    bought(start + 1, 3),
    bought(start + 4 * hour, 4, { unit: "u2" }),
  );
  const asked = { experiment: "checkout", phase: 1, metrics: 1 };
  const little = await cellStore(databases).readMany("e", [asked]);
  const [shard] = little.get("checkout") ?? [];
  const places = (rows: { dimension: string; cohortStart: number; cohortHours: number }[] = []) =>
    rows
      .filter(({ dimension }) => dimension === "" || dimension === "country")
      .map(({ dimension, cohortStart, cohortHours }) => [
        dimension,
        cohortStart - startHour,
        cohortHours,
      ]);
  const hours = [
    ["", 0, 1],
    ["", 3, 1],
    ["country", 0, 1],
    ["country", 3, 1],
  ];
  expect(places(shard?.populations)).toEqual(hours);
  expect(places(shard?.cells)).toEqual(hours);
  const [much] = await read();
  const totals = (cells: { dimension: string; y: number; yy: number }[] = []) =>
    ["", "country"].map((dimension) => {
      const those = cells.filter((cell) => cell.dimension === dimension);
      return {
        y: those.reduce((sum, { y }) => sum + y, 0),
        yy: those.reduce((sum, { yy }) => sum + yy, 0),
      };
    });
  expect(totals(shard?.cells)).toEqual(totals(much?.cells));
});

test("only what belongs to the phase of the experiment is read", async () => {
  await fold(env.METRICS_1, exposed());
  expect((await read())[1]?.populations).toHaveLength(4);
  expect((await read("checkout", 2))[1]?.populations).toEqual([]);
  expect((await read("other"))[1]).toMatchObject({ activity: null, populations: [] });
});

test("a rebuild that is done and left nothing out says since when; one that could not replace does not", async () => {
  const insert = env.METRICS_0.prepare(
    `INSERT INTO rebuilds (id, reason, status, requested_at_ms, stepped_at_ms, cursor, plans, events, difference)
     VALUES (?1, '', 'done', ?2, 0, '', '', 0, ?3)`,
  );
  const ended = (rows: number, swapped: boolean) => JSON.stringify({ rows, swapped });
  await env.METRICS_0.batch([
    insert.bind("a", 10, ended(0, false)),
    insert.bind("b", 20, ended(3, true)),
    insert.bind("c", 30, ended(3, false)),
    insert.bind("d", 40, null),
  ]);
  expect((await read()).map(({ rebuiltAtMs }) => rebuiltAtMs)).toEqual([20, null]);
});
