/** Events through HTTP into the archive, compacted and not, and out again by `npm run query`. */

import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { claimFolder } from "../scripts/local/control-socket.ts";
import type { Claim } from "../scripts/local/control-socket.ts";
import { resultsShape, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const hourMs = 3_600_000;
const run = promisify(execFile);

let system: System;
let claim: Claim;
beforeAll(async () => {
  system = await startSystem();
  claim = await claimFolder(system.dataFolder);
  claim.serve({ ...system.runner, hold: () => {}, release: () => {} });
});
afterAll(async () => {
  await claim.release();
  await system.destroy();
});

const post = (path: string, body: object) =>
  system.expectOk(z.unknown(), system.call("POST", `/api/v1${path}`, { body }));

const units = Array.from({ length: 1_200 }, (_, i) => ({
  unit: `visitor-${i}`,
  variant: i % 3 === 0 ? "B" : "A",
  attributes: { country: i % 2 === 0 ? "US" : "FR", platform: i % 5 === 0 ? "ios" : "web" },
}));
const isBuyer = (i: number) => i % 7 === 0;

/** What the script prints, without the first line's names: cells of a row split at two spaces or more. */
async function query(sql: string): Promise<string[][]> {
  const { stdout } = await run("node", ["scripts/query.ts", "--data", system.dataFolder, sql]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.at(-1)).toBe(`(${lines.length - 3} ${lines.length === 4 ? "row" : "rows"})`);
  return lines.slice(2, -1).map((line) => line.trim().split(/ {2,}/));
}

async function refusal(...args: string[]): Promise<unknown> {
  return run("node", ["scripts/query.ts", ...args]).catch((error: unknown) => error);
}

test("what was sent, twice and as often compacted, is counted as the results page counts it", async () => {
  await post("/metrics", { key: "bought", type: "proportion", event: "purchase", windowHours: 1 });
  await post("/experiments", {
    key: "checkout",
    variants: [
      { key: "A", weight: 50, value: 1, isControl: true },
      { key: "B", weight: 50, value: 2 },
    ],
    metrics: { primary: ["bought"] },
    plan: { maximumSampleSize: 1_000 },
  });
  await post("/experiments/checkout/start", {});
  const timestamp = new Date().toISOString();
  const exposures = units.map((each) => ({
    type: "exposure",
    experiment: "checkout",
    timestamp,
    ...each,
  }));
  const outcomes = units.flatMap(({ unit }, i) =>
    isBuyer(i) ? [{ type: "outcome", id: `o${i}`, name: "purchase", unit, timestamp }] : [],
  );
  const send = async () => {
    await post("/events/batch", { events: exposures.slice(0, 600) });
    await post("/events/batch", { events: [...exposures.slice(600), ...outcomes] });
    await system.runner.drained();
  };
  await send();
  await system.runner.tick(new Date());

  const observed = async () => {
    const answer = system.call("GET", "/api/v1/experiments/checkout/results");
    const results = await system.expectOk(resultsShape, answer);
    const sums = results.metrics[0]?.variants ?? {};
    return Object.entries(results.sampleRatio.observed).map(([variant, n]) => [
      variant,
      String(n),
      String(sums[variant]?.sum),
    ]);
  };
  const counts = `
    select p.variant, count(distinct p.unit) as units, count(distinct o.unit) as converted
    from population p
    left join outcomes o on o.environment = p.environment and o.kind = p.kind and o.unit = p.unit
      and o.name = 'purchase' and o.time >= p.first_exposed_at and o.time < p.first_exposed_at + interval 1 hour
    where p.experiment = 'checkout'
    group by p.variant order by p.variant`;
  const buyers = (variant: string) =>
    units.filter((each, i) => each.variant === variant && isBuyer(i)).length;
  const expected = [
    ["A", "800", String(buyers("A"))],
    ["B", "400", String(buyers("B"))],
  ];
  expect(await observed()).toEqual(expected);
  expect(await query(counts)).toEqual(expected);

  const rawFolder = join(system.dataFolder, "archive/raw/v1");
  expect(existsSync(rawFolder)).toBe(true);
  const compactedAt = new Date(Date.now() + 2 * hourMs);
  await system.runner.tick(compactedAt);
  expect((await system.runner.archive.list({ prefix: "raw/" })).objects).toEqual([]);
  expect(await query(counts)).toEqual(expected);
  const rows = units.length + units.filter((_, i) => isBuyer(i)).length;
  expect(await query("select count(*) from events")).toEqual([[String(rows)]]);

  // What a query left that was killed, and what another is writing.
  const unfinished = (pid: number) => join(rawFolder, `a.ndjson.gz.${pid}.part`);
  const noProcess = 2 ** 31 - 1;
  for (const pid of [noProcess, process.pid]) writeFileSync(unfinished(pid), "");
  await query("select 1");
  expect([noProcess, process.pid].map((pid) => existsSync(unfinished(pid)))).toEqual([false, true]);

  // Sent again: both kinds of objects, and nothing is counted twice.
  await send();
  expect((await system.runner.archive.list({ prefix: "raw/" })).objects).not.toEqual([]);
  expect(await query("select count(*) from events")).toEqual([[String(2 * rows)]]);
  expect(await query(counts)).toEqual(expected);
  await system.runner.tick(new Date(Date.now() + 3 * hourMs));
  expect((await system.runner.archive.list({ prefix: "raw/" })).objects).toEqual([]);
  expect(await query("select count(*) from events")).toEqual([[String(2 * rows)]]);
  expect(await query(counts)).toEqual(expected);
  expect(await observed()).toEqual(expected);

  const segment = await query(
    "select count(*) from population where variant = 'B' and platform = 'ios' and country = 'US'",
  );
  const isAsked = ({ variant, attributes }: (typeof units)[number]) =>
    variant === "B" && attributes.platform === "ios" && attributes.country === "US";
  expect(segment).toEqual([[String(units.filter(isAsked).length)]]);
});

test.each([
  ["no query", [], /^give one query, in quotes/],
  ["two queries", ["select 1", "select 2"], /^give one query, in quotes/],
  ["an unknown option", ["--port", "1", "select 1"], /--port/],
  [
    "a folder on which nothing runs",
    ["--data", "/nonexistent", "select 1"],
    /no Edgewise is running on \/nonexistent/,
  ],
])("%s is refused in one line", async (_, args, message) => {
  expect(await refusal(...args)).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(message) as string,
  });
});

test("a folder on which Edgewise is still starting is refused in one line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-"));
  const starting = await claimFolder(folder);
  try {
    expect(await refusal("--data", folder, "select 1")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Edgewise is still starting on .*\n$/) as string,
    });
  } finally {
    await starting.release();
    await rm(folder, { recursive: true });
  }
});

test("a query that is wrong is refused in one line", async () => {
  expect(await refusal("--data", system.dataFolder, "select nothing from exposures")).toMatchObject(
    {
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /^Binder Error: Referenced column "nothing" not found.*\n$/,
      ) as string,
    },
  );
});
