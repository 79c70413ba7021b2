/** A metric that is added to a running experiment, against an experiment of another environment that had it from the start. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { resultsShape, startSystem } from "./harness.ts";
import type { ResultsShape, System } from "./harness.ts";

const minuteMs = 60_000;
const late = "default/production";
const early = "other/production";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.destroy());

const call = (environment: string, method: string, path: string, body?: object) =>
  system.call(method, `/api/v1${path}`, {
    headers: { "x-edgewise-environment": environment },
    ...(body && { body }),
  });
const post = (environment: string, path: string, body: object) =>
  system.expectOk(z.unknown(), call(environment, "POST", path, body));

const bought = { key: "bought", type: "proportion", event: "purchase", windowHours: 1 };
/** Reads the payments, so that they are not held back until a metric may be known that does. */
const paid = { key: "paid", type: "proportion", event: "payment", windowHours: 1 };
const revenue = {
  key: "revenue",
  type: "mean",
  event: "payment",
  windowHours: 24,
  cap: 20,
  covariate: { lookbackDays: 2 },
};
const experiment = (secondary: string[]) => ({
  key: "checkout",
  variants: [
    { key: "A", weight: 50, value: 1, isControl: true },
    { key: "B", weight: 50, value: 2 },
  ],
  metrics: { primary: ["bought"], secondary },
  plan: { maximumSampleSize: 1_000 },
});

/** Of the past, so that they are the same in both environments: a part of the units, and what they paid before and after they were exposed. */
const firstMs = Date.now() - 5 * 24 * 60 * minuteMs;
const eventsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => from + i).flatMap((i) => {
    const unit = `visitor-${i}`;
    const atMs = firstMs + i * minuteMs;
    const at = (ms: number) => new Date(ms).toISOString();
    const payment = (n: number, ms: number, value: number) => ({
      type: "outcome",
      id: `${unit}-${n}`,
      name: "payment",
      unit,
      value,
      timestamp: at(ms),
    });
    const variant = i % 3 === 0 ? "B" : "A";
    return [
      { type: "exposure", experiment: "checkout", variant, unit, timestamp: at(atMs) },
      payment(0, atMs - 60 * minuteMs, (i % 5) + 1),
      ...(i % 2 === 0 ? [payment(1, atMs + minuteMs, i % 30)] : []),
      payment(2, atMs + 30 * 60 * minuteMs, 1_000),
    ];
  });

async function send(environments: string[], events: object[]): Promise<void> {
  for (const environment of environments) {
    await post(environment, "/events/batch", { source: "import", events });
  }
  await system.runner.drained();
}

const results = (environment: string): Promise<ResultsShape> =>
  system.expectOk(resultsShape, call(environment, "GET", "/experiments/checkout/results"));
const timeSeries = z.object({ series: z.array(z.object({ metric: z.string() })) });
const seriesOf = async (environment: string) => {
  const asked = call(environment, "GET", "/experiments/checkout/timeseries");
  return (await system.expectOk(timeSeries, asked)).series.map(({ metric }) => metric);
};
const keysOf = ({ metrics }: ResultsShape) => metrics.map(({ metric }) => metric);

test("what was recorded before a metric existed is counted in it, as if the experiment had had it from the start", async () => {
  for (const environment of [late, early]) {
    for (const metric of [bought, paid]) await post(environment, "/metrics", metric);
  }
  await post(early, "/metrics", revenue);
  await post(early, "/experiments", experiment(["revenue"]));
  await post(late, "/experiments", experiment([]));
  for (const environment of [late, early])
    await post(environment, "/experiments/checkout/start", {});
  await send([late, early], eventsOf(0, 200));

  await post(late, "/metrics", revenue);
  const added = await call(late, "POST", "/experiments/checkout/metrics", {
    metric: "revenue",
    reason: "it was forgotten",
  });
  const addedAtMs = Date.now();
  expect(added).toMatchObject({
    status: 200,
    body: { status: "running", metrics: { primary: ["bought"], secondary: ["revenue"] } },
  });
  expect(await call(late, "GET", "/audit")).toMatchObject({
    body: {
      entries: expect.arrayContaining([
        expect.objectContaining({ action: "add-metric", reason: "it was forgotten" }),
      ]) as unknown,
    },
  });

  await send([late, early], eventsOf(200, 240));
  await system.runner.tick(new Date(addedAtMs));
  expect(keysOf(await results(early))).toEqual(["bought", "revenue"]);
  expect(keysOf(await results(late))).toEqual(["bought"]);
  expect(await seriesOf(late)).toEqual(["bought"]);

  // The first asks for a rebuild, the second does it, the third analyses what it has counted.
  for (const minutes of [3, 4, 5]) {
    await system.runner.tick(new Date(addedAtMs + minutes * minuteMs));
  }
  const fromTheStart = await results(early);
  const afterwards = await results(late);
  expect(keysOf(afterwards)).toEqual(["bought", "revenue"]);
  expect(afterwards.metrics).toEqual(fromTheStart.metrics);
  expect(await seriesOf(late)).toEqual(["bought", "revenue"]);
  const units = Array.from({ length: 240 }, (_, i) => i).filter((i) => i % 3 === 0);
  expect(afterwards.metrics[1]?.variants["B"]).toMatchObject({
    n: units.length,
    sum: units.filter((i) => i % 2 === 0).reduce((sum, i) => sum + Math.min(20, i % 30), 0),
  });
});

test("metrics are added with a reason, once, and never as more than a secondary", async () => {
  const add = (body: object, key = "checkout") =>
    call(late, "POST", `/experiments/${key}/metrics`, body);
  const reason = "a test";
  expect(await add({ metric: "paid" })).toMatchObject({ status: 400 });
  expect(await add({ metric: "paid", role: "primary", reason })).toMatchObject({ status: 400 });
  expect(await add({ metric: "none", reason })).toMatchObject({ status: 400 });
  expect(await add({ metric: "paid", reason }, "none")).toMatchObject({ status: 404 });
  expect(await add({ metric: "bought", reason })).toMatchObject({ status: 422 });
  expect(await add({ metric: "revenue", reason })).toMatchObject({ status: 409 });
  const viewer = await system.newKey("admin", { role: "viewer" });
  const body = { metric: "paid", reason };
  expect(
    await system.call("POST", "/api/v1/experiments/checkout/metrics", { body, key: viewer }),
  ).toMatchObject({ status: 403 });
  expect(await add(body)).toMatchObject({ status: 200 });
});
