/** All of Edgewise at once: visitors evaluate, some convert, the cron analyses, and the results say what was simulated. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { inParallel, resultsShape, seededRandom, startSystem } from "./harness.ts";
import type { ResultsShape, System } from "./harness.ts";

const visitors = 20_000;
const hourMs = 3_600_000;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.destroy());

interface Arm {
  weight: number;
  /** The probability that a visitor converts. */
  rate: number;
}

const evaluated = (flag: string) =>
  z.object({ flags: z.object({ [flag]: z.object({ variant: z.string(), reason: z.string() }) }) });

/** Asks, without exposing anybody, until the started experiment has propagated. */
async function assigning(key: string, server: string): Promise<void> {
  const body = { context: { targetingKey: "probe" }, flags: [key], exposures: false };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await system.call("POST", "/api/v1/evaluate", { body, key: server });
    if (z.safeParse(evaluated(key), answer.body).data?.flags[key]?.reason === "SPLIT") return;
    if (Date.now() > deadline) throw new Error("did not propagate within a minute");
  }
}

/** Counts of the simulation by variant, and the results after all visitors' windows have closed. */
async function simulate(key: string, arms: Record<string, Arm>) {
  const metric = `${key}_converted`;
  const server = await system.newKey("server");
  const post = (path: string, body: object, secret = system.adminKey) =>
    system.expectOk(z.unknown(), system.call("POST", path, { body, key: secret }));
  await post("/api/v1/metrics", { key: metric, type: "proportion", event: metric, windowHours: 1 });
  await post("/api/v1/experiments", {
    key,
    variants: Object.entries(arms).map(([variant, { weight }], index) => ({
      key: variant,
      weight,
      value: variant,
      isControl: index === 0,
    })),
    metrics: { primary: [metric] },
    plan: { maximumSampleSize: visitors, looks: 1 },
  });
  await post(`/api/v1/experiments/${key}/start`, {});
  await assigning(key, server);

  const random = seededRandom(20_260_101);
  const seen = new Map(Object.keys(arms).map((variant) => [variant, { n: 0, conversions: 0 }]));
  const outcomes: object[] = [];
  const units = Array.from({ length: visitors }, (_, i) => `${key}-visitor-${i}`);
  const variants = new Map<string, string>();
  await inParallel(units, 16, async (unit) => {
    const body = { context: { targetingKey: unit }, flags: [key] };
    const call = system.call("POST", "/api/v1/evaluate", { body, key: server });
    const answer = await system.expectOk(evaluated(key), call);
    variants.set(unit, answer.flags[key]?.variant ?? "none");
  });
  for (const unit of units) {
    const variant = variants.get(unit) ?? "none";
    const tally = seen.get(variant);
    if (tally === undefined) throw new Error(`${unit} got ${variant}`);
    tally.n += 1;
    if (random() >= (arms[variant]?.rate ?? 0)) continue;
    tally.conversions += 1;
    const timestamp = new Date().toISOString();
    outcomes.push({ type: "outcome", id: `o-${unit}`, name: metric, unit, timestamp });
  }
  for (let start = 0; start < outcomes.length; start += 1_000) {
    await post("/api/v1/events/batch", { events: outcomes.slice(start, start + 1_000) }, server);
  }
  await system.runner.drained();
  await system.runner.tick(new Date(Date.now() + 3 * hourMs));
  const results = await system.expectOk(
    resultsShape,
    system.call("GET", `/api/v1/experiments/${key}/results`),
  );
  return { seen, results };
}

function expectSameFigures(
  results: ResultsShape,
  seen: ReadonlyMap<string, { n: number; conversions: number }>,
  arms: Record<string, Arm>,
): void {
  const [metric] = results.metrics;
  if (metric === undefined) throw new Error("no metric");
  const control = seen.get(Object.keys(arms)[0] ?? "");
  if (control === undefined) throw new Error("no control");
  for (const [variant, { n, conversions }] of seen) {
    expect(metric.variants[variant]).toMatchObject({ n, sum: conversions });
    expect(results.sampleRatio.observed[variant]).toBe(n);
  }
  for (const comparison of metric.comparisons) {
    const { n, conversions } = seen.get(comparison.variant) ?? { n: 0, conversions: 0 };
    const lift = conversions / n - control.conversions / control.n;
    expect(comparison.lift).toBeCloseTo(lift, 12);
    expect(comparison.relativeLift).toBeCloseTo(lift / (control.conversions / control.n), 10);
  }
  const chiSquare = Object.entries(arms).reduce((sum, [variant, { weight }]) => {
    const expected = (visitors * weight) / 100;
    return sum + ((seen.get(variant)?.n ?? 0) - expected) ** 2 / expected;
  }, 0);
  expect(results.sampleRatio.statistic).toBeCloseTo(chiSquare, 8);
  expect(results.sampleRatio.mismatch).toBe(false);
}

test("a 90/10 experiment of 20,000 visitors: counts, lift and sample ratio are the simulation's", async () => {
  const arms = { control: { weight: 90, rate: 0.1 }, treatment: { weight: 10, rate: 0.16 } };
  const { seen, results } = await simulate("ninety_ten", arms);
  expectSameFigures(results, seen, arms);
  const sequential = results.metrics[0]?.comparisons[0]?.sequential;
  expect(sequential?.looks).toHaveLength(1);
  expect(sequential?.looks[0]?.boundary).toBeCloseTo(1.959964, 6);
  expect(sequential?.crossed).toBe(true);
  expect(results.recommendation).toMatchObject({ action: "ship", variant: "treatment" });
});

test("a three-variant experiment of 20,000 visitors: counts, lifts and sample ratio are the simulation's", async () => {
  const arms = {
    control: { weight: 33.34, rate: 0.1 },
    short: { weight: 33.33, rate: 0.1 },
    long: { weight: 33.33, rate: 0.1 },
  };
  const { seen, results } = await simulate("three_variants", arms);
  expectSameFigures(results, seen, arms);
  expect(results.metrics[0]?.comparisons).toHaveLength(2);
});
