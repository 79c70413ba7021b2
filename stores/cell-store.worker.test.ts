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

test("all units come by cohort, each value of a dimension once over all cohorts", async () => {
  const attributes = { country: "FR" };
  await fold(
    env.METRICS_0,
    exposed({ attributes }),
    exposed({ unit: "u2", timeMs: start + 3 * hour, attributes }),
    bought(start + 1),
    bought(start + 4 * hour, 1, { unit: "u2" }),
  );
  const [shard, other] = await read();
  const place = { experiment: "checkout", variant: "control", dimension: "country", value: "FR" };
  const all = { variant: "control", dimension: "", value: "", cohortHours: 1, n: 1 };
  expect(shard?.populations).toEqual([
    expect.objectContaining({ ...all, cohortStart: startHour }),
    expect.objectContaining({ ...all, cohortStart: startHour + 3 }),
    { ...place, cohortStart: startHour, cohortHours: 4, n: 2 },
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

test("only what belongs to the phase of the experiment is read", async () => {
  await fold(env.METRICS_1, exposed());
  expect((await read())[1]?.populations).toHaveLength(2);
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
