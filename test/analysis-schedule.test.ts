/** An experiment that starts, ramps and stops by itself, as the cron ticks; a step is not taken while a guardrail alarms. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const hourMs = 3_600_000;
const nowMs = Date.now();
const after = (hours: number) => new Date(nowMs + hours * hourMs);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.destroy());

const post = (path: string, body: object) =>
  system.expectOk(z.looseObject({}), system.call("POST", `/api/v1${path}`, { body }));

const shape = z.object({ status: z.string(), traffic: z.number() });

async function at(hours: number, key: string) {
  await system.runner.tick(after(hours));
  return await system.expectOk(shape, system.call("GET", `/api/v1/experiments/${key}`));
}

const scheduled = (key: string, guardrail: object[] = []) =>
  post("/experiments", {
    key,
    traffic: 1,
    variants: [
      { key: "a", weight: 50, value: "A", isControl: true },
      { key: "b", weight: 50, value: "B" },
    ],
    metrics: { primary: ["bought"], guardrail },
    plan: { maximumSampleSize: 4_000 },
    schedule: {
      start: after(1).toISOString(),
      stop: after(40).toISOString(),
      ramp: [
        { at: after(10).toISOString(), traffic: 10 },
        { at: after(20).toISOString(), traffic: 50 },
        { at: after(30).toISOString(), traffic: 100 },
      ],
    },
  });

test("it starts, takes its steps and stops at their times, each in the audit log as the cron's", async () => {
  await post("/metrics", { key: "bought", type: "proportion", event: "buy", windowHours: 1 });
  await scheduled("timed");
  expect(await at(0.5, "timed")).toEqual({ status: "draft", traffic: 1 });
  expect(await at(1, "timed")).toEqual({ status: "running", traffic: 1 });
  expect(await at(10, "timed")).toEqual({ status: "running", traffic: 10 });
  expect(await at(19, "timed")).toEqual({ status: "running", traffic: 10 });
  // Two steps were missed: one a tick.
  expect(await at(31, "timed")).toEqual({ status: "running", traffic: 50 });
  expect(await at(31.1, "timed")).toEqual({ status: "running", traffic: 100 });
  expect(await at(40, "timed")).toEqual({ status: "completed", traffic: 100 });
  const { body } = await system.call("GET", "/api/v1/audit?limit=5");
  const entries = z.parse(
    z.object({
      entries: z.array(z.object({ action: z.string(), actor: z.string(), reason: z.string() })),
    }),
    body,
  ).entries;
  expect(entries.map(({ action }) => action)).toEqual([
    "complete",
    "ramp",
    "ramp",
    "ramp",
    "start",
  ]);
  expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set(["cron"]));
  expect(entries[0]?.reason).toContain(after(40).toISOString());
});

test("a step is not taken while a guardrail alarms: the experiment is paused, and ramps once it is resumed", async () => {
  await post("/metrics", {
    key: "failed",
    type: "proportion",
    event: "fail",
    direction: "decrease",
    windowHours: 1,
  });
  await scheduled("guarded", [{ metric: "failed", maxRelativeHarm: 0.1 }]);
  expect((await at(1, "guarded")).status).toBe("running");
  const timestamp = new Date().toISOString();
  const events = ["a", "b"].flatMap((variant) =>
    Array.from({ length: 400 }, (_, i) => {
      const unit = `${variant}-${i}`;
      const fails = i % 10 < (variant === "a" ? 1 : 4);
      return [
        { type: "exposure", experiment: "guarded", variant, unit, timestamp },
        ...(fails ? [{ type: "outcome", id: `o-${unit}`, name: "fail", unit, timestamp }] : []),
      ];
    }).flat(),
  );
  await post("/events/batch", { events });
  await system.runner.drained();
  expect(await at(10, "guarded")).toEqual({ status: "paused", traffic: 1 });
  expect(await at(11, "guarded")).toEqual({ status: "paused", traffic: 1 });
  await post("/experiments/guarded/resume", { reason: "the page counted retries; fixed" });
  expect(await at(12, "guarded")).toEqual({ status: "running", traffic: 10 });
  const put = (body: object) =>
    system.call("PUT", "/api/v1/experiments/guarded/schedule", { body });
  expect((await put({ schedule: null, reason: "by hand from here" })).body).toEqual({
    key: "guarded",
    schedule: null,
  });
  expect(await at(60, "guarded")).toEqual({ status: "running", traffic: 10 });
  expect((await put({ schedule: { stop: "tomorrow" } })).status).toBe(400);
});
