import { describe, expect, test } from "vitest";
import { experimentOf, metricOf, metricsOf } from "../test/control-state.ts";
import { resolveMetrics } from "./resolve-metrics.ts";
import { plannedFractions, resolvePlan } from "./resolve-plan.ts";

const metrics = metricsOf(
  metricOf(),
  metricOf({ key: "left", direction: "decrease" }),
  metricOf({ key: "revenue", type: "mean" }),
);

function planOf(plan: object, more: object = {}) {
  const body = experimentOf({ plan, ...more });
  return resolvePlan(body, resolveMetrics(body, metrics));
}

function sampleSizeOf(plan: object, more: object = {}): number {
  const resolved = planOf(plan, more);
  if (!resolved.ok) throw new Error(resolved.problem.detail);
  return resolved.value.maximumSampleSize;
}

const variants = (...weights: number[]) => ({
  variants: weights.map((weight, i) => ({
    key: `v${i}`,
    weight,
    value: i,
    isControl: i === 0,
  })),
});

describe("maximumSampleSize, when a plan gives an effect instead", () => {
  const lift = { baseline: 0.05, minimumDetectableEffect: 0.1 };

  test("5 % to 5.5 % at 80 % power takes 31,234 units a variant when looked at once (power.prop.test)", () => {
    expect(sampleSizeOf({ ...lift, looks: 1 })).toBe(2 * 31_234);
  });

  test("five O'Brien–Fleming looks inflate it by 1.0247 (Jennison & Turnbull 2000)", () => {
    const perVariant = sampleSizeOf({ ...lift, looks: 5 }) / 2;
    expect(perVariant / 31_233.2).toBeCloseTo(1.0247, 4);
  });

  test("σ = 50 and 2 % of 100 take 9,812 units a variant by the normal formula", () => {
    const plan = { baseline: 100, minimumDetectableEffect: 0.02, standardDeviation: 50, looks: 1 };
    expect(sampleSizeOf(plan, { metrics: { primary: ["revenue"] } })).toBe(2 * 9_812);
  });

  test("an uneven split takes more, the smallest treatment deciding", () => {
    const even = sampleSizeOf({ ...lift, looks: 1 }, variants(50, 50));
    const uneven = sampleSizeOf({ ...lift, looks: 1 }, variants(90, 10));
    expect(uneven / even).toBeGreaterThan(2.5);
    expect(sampleSizeOf({ ...lift, looks: 1 }, variants(80, 10, 10))).toBeGreaterThan(uneven);
  });

  test("a decrease is looked for below the baseline: 5 % to 4.5 % takes less than 5 % to 5.5 %", () => {
    const less = sampleSizeOf({ ...lift, looks: 1 }, { metrics: { primary: ["left"] } });
    expect(less).toBeLessThan(2 * 31_234);
    expect(less).toBeGreaterThan(50_000);
  });
});

test("alpha is shared over primaries × treatments", () => {
  const resolved = planOf(
    { maximumSampleSize: 900 },
    { ...variants(40, 30, 30), metrics: { primary: ["purchased", "revenue"] } },
  );
  expect(resolved).toMatchObject({ ok: true, value: { alpha: 0.05, ledgerAlpha: 0.05 / 4 } });
});

test("a number of looks becomes equal fractions; days and weeks stay, because only time can say when they are", () => {
  expect(planOf({ maximumSampleSize: 10, looks: 4 })).toMatchObject({
    value: { looks: { fractions: [0.25, 0.5, 0.75, 1] } },
  });
  const weekly = { every: "week", count: 3 } as const;
  expect(planOf({ maximumSampleSize: 10, looks: weekly })).toMatchObject({
    value: { looks: weekly },
  });
  expect(plannedFractions(weekly)).toEqual([1 / 3, 2 / 3, 1]);
});

describe("refused, naming the place", () => {
  test.each([
    ["a rate beyond 1", { baseline: 0.9, minimumDetectableEffect: 0.5 }, "/plan"],
    ["a rate of 0", { baseline: 0, minimumDetectableEffect: 0.5 }, "/plan"],
    ["power below alpha", { maximumSampleSize: 10, power: 0.01 }, "/plan"],
  ])("%s", (_name, plan, pointer) => {
    expect(planOf(plan)).toMatchObject({ ok: false, problem: { errors: [{ pointer }] } });
  });

  test("an effect too small for any number of units", () => {
    const plan = { baseline: 1, minimumDetectableEffect: 1e-200, standardDeviation: 1 };
    expect(planOf(plan, { metrics: { primary: ["revenue"] } })).toMatchObject({
      ok: false,
      problem: { errors: [{ pointer: "/plan" }] },
    });
  });

  test("a mean without its standard deviation", () => {
    const plan = { baseline: 10, minimumDetectableEffect: 0.1 };
    expect(planOf(plan, { metrics: { primary: ["revenue"] } })).toMatchObject({
      ok: false,
      problem: { errors: [{ pointer: "/plan/standardDeviation" }] },
    });
  });
});

test("an adjusted plan needs a covariate of every primary metric, and says so when it is frozen", () => {
  const adjusted = (metric: object) =>
    resolvePlan(
      experimentOf({ plan: { maximumSampleSize: 10, adjustment: "cuped" } }),
      resolveMetrics(experimentOf(), metricsOf(metricOf(metric))),
    );
  expect(adjusted({})).toMatchObject({
    ok: false,
    problem: { errors: [{ pointer: "/plan/adjustment" }] },
  });
  expect(adjusted({ covariate: { lookbackDays: 14 } })).toMatchObject({
    ok: true,
    value: { adjustment: "cuped" },
  });
});
