/** Operating the event path through the public port: health, a rebuild that is asked for, dead letters. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.destroy());

const healthShape = z.object({
  status: z.string(),
  alarms: z.array(z.unknown()),
  intake: z.object({ foldedEvents: z.number(), rejected: z.record(z.string(), z.number()) }),
  deadLetters: z.object({ count: z.number() }),
  shards: z.array(
    z.object({
      backlog: z.object({ messages: z.number() }),
      rebuild: z.nullable(
        z.object({
          status: z.string(),
          events: z.number(),
          difference: z.nullable(z.object({ rows: z.number(), swapped: z.boolean() })),
        }),
      ),
    }),
  ),
});
const health = () => system.expectOk(healthShape, system.call("GET", "/api/v1/health"));

test("what was sent, folded and rejected is in health; a rebuild finds the same", async () => {
  const outcome = (unit: string, id: string) => ({
    type: "outcome",
    id,
    name: "purchase",
    unit,
    timestamp: new Date().toISOString(),
  });
  const ok = (answer: Promise<{ status: number }>) =>
    expect(answer).resolves.toMatchObject({ status: expect.toBeOneOf([200, 201]) as number });
  await ok(
    system.call("POST", "/api/v1/metrics", {
      body: { key: "purchased", type: "proportion", event: "purchase", windowHours: 1 },
    }),
  );
  await ok(
    system.call("POST", "/api/v1/experiments", {
      body: {
        key: "checkout",
        variants: [
          { key: "a", weight: 50, value: "a", isControl: true },
          { key: "b", weight: 50, value: "b" },
        ],
        metrics: { primary: ["purchased"] },
        plan: { baseline: 0.1, minimumDetectableEffect: 0.1 },
      },
    }),
  );
  await ok(system.call("POST", "/api/v1/experiments/checkout/start", { body: { reason: "test" } }));

  const units = Array.from({ length: 200 }, (_, i) => `unit-${i}`);
  const timestamp = new Date().toISOString();
  const events = units.flatMap((unit, i) => [
    { type: "exposure", experiment: "checkout", variant: i % 2 ? "a" : "b", unit, timestamp },
    ...(i % 3 === 0 ? [outcome(unit, `order-${i}`)] : []),
  ]);
  const bad = [{ type: "outcome" }, { ...outcome("u", "x"), timestamp: "2020-01-01T00:00:00Z" }];
  const sent = await system.call("POST", "/api/v1/events/batch", {
    body: { events: [...events, ...bad] },
  });
  expect(sent.status).toBe(202);
  await system.runner.drained();

  const before = await health();
  expect(before).toMatchObject({ status: "ok", alarms: [], deadLetters: { count: 0 } });
  expect(before.intake.foldedEvents).toBeGreaterThanOrEqual(events.length);
  expect(before.intake.rejected).toEqual({ "invalid-event": 1, "timestamp-too-old": 1 });

  const asked = await system.call("POST", "/api/v1/rebuilds", { body: { reason: "a test" } });
  expect(asked.status).toBe(202);
  await system.runner.tick(new Date());
  const { shards } = await health();
  for (const { rebuild } of shards) {
    expect(rebuild).toMatchObject({ status: "done", difference: { rows: 0, swapped: false } });
  }
  const read = shards.reduce((sum, { rebuild }) => sum + (rebuild?.events ?? 0), 0);
  expect(read).toBeGreaterThanOrEqual(events.length);
});

test("dead letters are listed, to admin keys alone", async () => {
  expect(await system.call("GET", "/api/v1/dead-letters")).toMatchObject({
    status: 200,
    body: { deadLetters: [], next: null },
  });
  const key = await system.newKey("server");
  expect((await system.call("GET", "/api/v1/health", { key })).status).toBe(403);
  expect((await system.call("GET", "/api/v1/dead-letters/none")).status).toBe(404);
});
