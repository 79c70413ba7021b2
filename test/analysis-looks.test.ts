/** Looks by the plan, by request and by declaration; and the whole ledger recomputed from the archive. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { claimFolder } from "../scripts/local/control-socket.ts";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const hourMs = 3_600_000;
const run = promisify(execFile);

let system: System;
let stopControls: () => Promise<void>;
beforeAll(async () => {
  system = await startSystem();
  const claim = await claimFolder(system.dataFolder);
  claim.serve({ ...system.runner, hold: () => {}, release: () => {} });
  stopControls = claim.release;
});
afterAll(async () => {
  await stopControls();
  await system.destroy();
});

const post = (path: string, body: object) =>
  system.expectOk(z.looseObject({}), system.call("POST", `/api/v1${path}`, { body }));

const nowMs = Date.now();

/** 400 units a variant, `hoursAgo`, of which the given share converts with a value, and all of which had bought before. */
async function expose(
  hoursAgo: number,
  shares: Record<string, number>,
  experiment = "watched",
): Promise<void> {
  const at = (ms: number) => new Date(nowMs - hoursAgo * hourMs + ms).toISOString();
  const events = Object.entries(shares).flatMap(([variant, share]) =>
    Array.from({ length: 400 }, (_, i) => {
      const unit = `${experiment}-${hoursAgo}-${variant}-${i}`;
      const outcome = { type: "outcome", name: "buy", unit };
      return [
        { type: "exposure", experiment, variant, unit, timestamp: at(i) },
        { ...outcome, id: `before-${unit}`, value: (i % 5) + 1, timestamp: at(-3 * hourMs) },
        ...(i < share * 400
          ? [{ ...outcome, id: `after-${unit}`, value: (i % 7) + 2, timestamp: at(60_000 + i) }]
          : []),
      ];
    }).flat(),
  );
  for (let start = 0; start < events.length; start += 1_000) {
    await post("/events/batch", { source: "import", events: events.slice(start, start + 1_000) });
  }
  await system.runner.drained();
}

const look = (body: object) =>
  system.call("POST", "/api/v1/experiments/watched/look", { body: { reason: "asked", ...body } });

const ledger = async (experiment = "watched") => {
  const { body } = await system.call("GET", `/api/v1/experiments/${experiment}/looks`);
  return z.parse(z.object({ looks: z.array(z.looseObject({ cause: z.string() })) }), body).looks;
};

async function audit(experiment = "watched"): Promise<{ code: number; output: string }> {
  const options = `--experiment ${experiment} --url ${system.runner.url} --key ${system.adminKey} --data ${system.dataFolder}`;
  try {
    const { stdout } = await run("node", ["scripts/audit.ts", ...options.split(" ")]);
    return { code: 0, output: stdout };
  } catch (error) {
    const failed = z.parse(z.looseObject({ code: z.number(), stdout: z.string() }), error);
    return { code: failed.code, output: failed.stdout };
  }
}

test("planned, asked and declared looks: each asked one says first what it spends; all of them are recomputed from the archive, late events notwithstanding", async () => {
  await post("/metrics", { key: "bought", type: "proportion", event: "buy", windowHours: 1 });
  await post("/metrics", {
    key: "spent",
    type: "mean",
    event: "buy",
    windowHours: 2,
    cap: 7,
    covariate: { lookbackDays: 2 },
  });
  await post("/experiments", {
    key: "watched",
    variants: [
      { key: "a", weight: 50, value: "A", isControl: true },
      { key: "b", weight: 50, value: "B" },
    ],
    metrics: { primary: ["bought", "spent"] },
    plan: { maximumSampleSize: 4_000, looks: 5 },
  });
  await post("/experiments/watched/start", {});
  expect((await look({})).body).toMatchObject({ code: "not-possible" });
  await expose(40, { a: 0.5, b: 0.55 });
  await system.runner.tick(new Date(nowMs - 30 * hourMs));
  const planned = await ledger();
  expect(planned.map(({ cause }) => cause)).toEqual(["planned", "planned"]);

  await expose(20, { a: 0.5, b: 0.52 });
  const said = await look({});
  expect(said.body).toMatchObject({
    taken: false,
    detail: expect.stringContaining("spends alpha of each of 2 ledgers"),
    ledgers: [{ look: 2, informationFraction: 0.4 }, { look: 2 }],
  });
  expect(JSON.stringify(said.body)).not.toMatch(/"z"|crossed|effect/);
  expect(await ledger()).toEqual(planned);

  const { body: taken } = await look({ confirm: true });
  expect(taken).toMatchObject({ taken: true, ledgers: [{ look: 2, crossed: false }, {}] });
  expect((await look({ confirm: true })).status).toBe(422);
  const { body: entries } = await system.call("GET", "/api/v1/audit?limit=1");
  expect(entries).toMatchObject({
    entries: [{ action: "look", reason: "asked", entityKey: "watched" }],
  });

  await expose(10, { a: 0.5, b: 0.5 });
  const last = await look({ final: true, confirm: true, reason: "the season ends" });
  expect(last.body).toMatchObject({
    taken: true,
    ledgers: [{ look: 3, informationFraction: 0.6 }, {}],
  });
  expect((await look({ confirm: true })).body).toMatchObject({
    detail: expect.stringContaining("No alpha is left"),
  });

  const before = await ledger();
  expect(await audit()).toEqual({
    code: 0,
    output: "6 rows of the ledger of watched: all as the archive gives them\n",
  });

  // Late: for units that every look had counted as not converted.
  const late = { type: "outcome", name: "buy", id: "late", unit: "watched-40-b-399", value: 3 };
  const timestamp = new Date(nowMs - 40 * hourMs + 600_000).toISOString();
  await post("/events/batch", { source: "import", events: [{ ...late, timestamp }] });
  await system.runner.drained();
  await system.runner.tick(new Date());
  expect(await ledger()).toEqual(before);
  expect((await audit()).code).toBe(0);
});

test("looks that decide by the adjusted estimate are recomputed from the archive with their θ", async () => {
  const variants = [
    { key: "a", weight: 50, value: "A", isControl: true },
    { key: "b", weight: 50, value: "B" },
  ];
  const plan = { maximumSampleSize: 1_600, looks: 2, adjustment: "cuped" };
  await post("/experiments", { key: "adjusted", variants, metrics: { primary: ["spent"] }, plan });
  await post("/experiments/adjusted/start", {});
  for (const hoursAgo of [40, 20]) {
    await expose(hoursAgo, { a: 0.5, b: 0.52 }, "adjusted");
    await system.runner.tick(new Date(nowMs - (hoursAgo - 10) * hourMs));
  }
  const looks = await ledger("adjusted");
  const inputs = z.object({ inputs: z.looseObject({ theta: z.number() }) });
  const thetas = looks.map((row) => z.parse(inputs, row).inputs.theta);
  expect(thetas).toHaveLength(2);
  expect(thetas).not.toContain(0);
  expect(await audit("adjusted")).toEqual({
    code: 0,
    output: "2 rows of the ledger of adjusted: all as the archive gives them\n",
  });
});

test("another number of units is confirmed first, and marks the phase unless its reason is blinded", async () => {
  await post("/experiments", {
    key: "replanned",
    variants: [
      { key: "a", weight: 50, value: "A", isControl: true },
      { key: "b", weight: 50, value: "B" },
    ],
    metrics: { primary: ["bought"] },
    plan: { maximumSampleSize: 4_000 },
  });
  const plan = (body: object) =>
    system.call("POST", "/api/v1/experiments/replanned/plan", {
      body: { reason: "half the traffic", maximumSampleSize: 6_000, ...body },
    });
  expect((await plan({ confirm: true })).body).toMatchObject({ code: "not-possible" });
  await post("/experiments/replanned/start", {});
  expect((await plan({})).body).toMatchObject({
    changed: false,
    detail: expect.stringContaining("exploratory"),
  });
  const blinded = await plan({ blinded: true, confirm: true });
  expect(blinded.body).toMatchObject({ changed: true, exploratory: false });
  const seen = await plan({ maximumSampleSize: 9_000, confirm: true });
  expect(seen.body).toMatchObject({ changed: true, exploratory: true });
  const { body } = await system.call("GET", "/api/v1/experiments/replanned/results");
  expect(body).toMatchObject({
    exploratory: true,
    design: { maximumSampleSize: 4_000, replannedSampleSize: 9_000 },
  });
});

test("exposures and the time series over HTTP are the counts that were sent", async () => {
  const exposures = await system.call("GET", "/api/v1/experiments/watched/exposures");
  expect(exposures.body).toMatchObject({
    units: { a: 1_200, b: 1_200 },
    dimensions: expect.arrayContaining([
      { dimension: "country", values: [{ value: "unknown", units: { a: 1_200, b: 1_200 } }] },
    ]),
    leftOut: { quarantinedUnits: 0 },
  });
  const series = await system.call("GET", "/api/v1/experiments/watched/timeseries");
  const shape = z.object({
    series: z.array(
      z.looseObject({
        metric: z.string(),
        points: z.array(z.looseObject({ units: z.record(z.string(), z.number()) })),
        looks: z.array(z.unknown()),
      }),
    ),
  });
  const [bought] = z.parse(shape, series.body).series;
  expect(bought?.points.at(-1)).toMatchObject({ units: { a: 1_200, b: 1_200 } });
  expect(bought?.looks).toHaveLength(3);
});
