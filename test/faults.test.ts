/**
 * Whatever fails between the intake and the cells, what was acknowledged is counted once in the end, and is once in the archive's views.
 * The whole system, its real bindings made to fail at one operation after another; the emulator's own queue delivers again.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { claimFolder } from "../scripts/local/control-socket.ts";
import type { Claim } from "../scripts/local/control-socket.ts";
import { mirrorArchive } from "../scripts/query/mirror.ts";
import { runQuery } from "../scripts/query/run-query.ts";
import { faultServer } from "./fault-server.ts";
import type { FaultServer } from "./fault-server.ts";
import { resultsShape, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const given = vi.hoisted(() => ({ faultsUrl: "" }));

vi.mock(import("../scripts/local/bundle.ts"), async (original) => {
  const { bundle } = await original();
  return {
    bundle,
    bundleJournalled: (entry) =>
      bundle(`
        import worker from ${JSON.stringify(entry)};
        import { journalled } from "./scripts/local/workerd/journalled.ts";
        import { faulty } from "./test/faulty-bindings.ts";
        export default journalled(faulty(worker, ${JSON.stringify(given.faultsUrl)}));
      `),
  };
});

let faults: FaultServer;
let system: System;
let claim: Claim;

async function up(dataFolder?: string): Promise<void> {
  system = await startSystem(dataFolder);
  claim = await claimFolder(system.dataFolder);
  claim.serve({ ...system.runner, hold: () => {}, release: () => {} });
}
async function down(): Promise<void> {
  await claim.release();
  await system.stop();
}
beforeAll(async () => {
  faults = await faultServer();
  given.faultsUrl = faults.url;
  await up();
  await post("/metrics", { key: "bought", type: "mean", event: "purchase", windowHours: 1 });
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
});
afterAll(async () => {
  await claim.release();
  await system.destroy();
  await faults.close();
});

const post = (path: string, body: object) =>
  system.expectOk(z.unknown(), system.call("POST", `/api/v1${path}`, { body }));

const unitsABatch = 40;
let batches = 0;

/** Units on every shard: each is exposed, and buys for 3. */
function newBatch(): object {
  batches++;
  const timestamp = new Date().toISOString();
  return {
    events: Array.from({ length: unitsABatch }, (_, i) => `visitor-${batches}-${i}`).flatMap(
      (unit, i) => {
        const variant = i % 4 === 0 ? "B" : "A";
        return [
          { type: "exposure", experiment: "checkout", variant, unit, timestamp },
          { type: "outcome", id: `order-${unit}`, name: "purchase", unit, value: 3, timestamp },
        ];
      },
    ),
  };
}

const send = (batch: object) => system.call("POST", "/api/v1/events/batch", { body: batch });

async function sendAcknowledged(batch: object): Promise<void> {
  expect(await send(batch)).toMatchObject({
    status: 202,
    body: { accepted: 2 * unitsABatch, rejected: [] },
  });
}

/** Of all batches so far. */
async function expectEachOnce(): Promise<void> {
  await system.runner.drained();
  await system.runner.tick(new Date());
  const a = batches * unitsABatch * 0.75;
  const b = batches * unitsABatch * 0.25;
  const results = system.call("GET", "/api/v1/experiments/checkout/results");
  const { metrics, quality } = await system.expectOk(resultsShape, results);
  expect(metrics[0]?.variants).toMatchObject({ A: { n: a, sum: 3 * a }, B: { n: b, sum: 3 * b } });
  expect(quality.quarantinedUnits).toBe(0);
  const { rows } = await runQuery(
    await mirrorArchive(system.dataFolder),
    `select p.variant, count(*)::integer, sum(o.value)::integer from population p join outcomes o using (environment, kind, unit)
     group by p.variant order by p.variant`,
  );
  expect(rows).toEqual([
    ["A", a, 3 * a],
    ["B", b, 3 * b],
  ]);
}

const shards = 4;

test("D1 fails in two shards, and in two others commits while its answer is lost: delivered again, and counted once", async () => {
  const failed = [
    faults.inject({ operation: /^METRICS_[01]\.write before/, times: 2 }),
    faults.inject({ operation: /^METRICS_[23]\.write after/, times: 2 }),
  ];
  await sendAcknowledged(newBatch());
  await Promise.all(failed);
  await expectEachOnce();
});

test.each([
  ["R2 fails", /^ARCHIVE\.put before/],
  ["the acknowledgement is lost after the fold", /^edgewise-events-\d\.ack before/],
])("%s: what was acknowledged is delivered again, and counted once", async (_, operation) => {
  const failed = faults.inject({ operation, times: shards });
  await sendAcknowledged(newBatch());
  await failed;
  await expectEachOnce();
});

test("a queue refuses, while others have taken their part: 503 with Retry-After, nothing acknowledged, and sent again it is counted once", async () => {
  const batch = newBatch();
  const refused = faults.inject({ operation: /^EVENTS_2\.sendBatch before/, times: 1 });
  const answer = await send(batch);
  await refused;
  expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(answer.body).not.toHaveProperty("accepted");
  await sendAcknowledged(batch);
  await expectEachOnce();
});

test("everything is killed between archive and fold, and KV fails when it is up again: counted once", async () => {
  const killed = faults.inject({
    operation: /^ARCHIVE\.put after/,
    times: 1,
    instead() {
      const pid = readFileSync(join(system.dataFolder, "workerd.pid"), "utf8");
      process.kill(Number(pid), "SIGKILL");
    },
  });
  await sendAcknowledged(newBatch());
  await killed;
  await down();
  // Nothing is in memory.
  const failed = faults.inject({ operation: /^CONFIG\.get before/, times: 3 });
  await up(system.dataFolder);
  await failed;
  await expectEachOnce();
});

test("in the end the archive, counted anew, says the same, and nothing was put aside", async () => {
  await post("/rebuilds", { reason: "faults" });
  await system.runner.tick(new Date());
  expect(await system.call("GET", "/api/v1/health")).toMatchObject({
    body: {
      deadLetters: { count: 0 },
      shards: Array.from({ length: shards }, () => ({
        rebuild: { status: "done", difference: { rows: 0 } },
      })),
    },
  });
});
