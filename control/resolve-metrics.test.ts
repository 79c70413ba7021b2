import { expect, test } from "vitest";
import { experimentOf, metricOf, metricsOf } from "../test/control-state.ts";
import { resolveMetrics } from "./resolve-metrics.ts";

const hour = 3_600_000;
const all = metricsOf(
  metricOf(),
  metricOf({ key: "revenue", type: "mean", cap: 500, covariate: {} }),
  metricOf({
    key: "per_order",
    type: "ratio",
    windowHours: 24,
    denominator: { event: "order", aggregation: "count" },
  }),
  metricOf({ key: "back", type: "retention", returnDays: 7 }),
  metricOf({ key: "errors", direction: "decrease" }),
);

test("primary, secondary, guardrail, in this order, each with its role, window and direction", () => {
  const { metrics } = experimentOf({
    metrics: {
      guardrail: [{ metric: "errors", maxRelativeHarm: 0.02 }],
      secondary: ["revenue", "per_order"],
      primary: ["purchased", "back"],
    },
  });
  const proportion = { type: "proportion", event: "purchase", aggregation: "any" };
  expect(resolveMetrics({ metrics }, all)).toEqual([
    {
      ...proportion,
      key: "purchased",
      role: "primary",
      direction: "increase",
      windowMs: 72 * hour,
    },
    {
      key: "back",
      type: "retention",
      event: "purchase",
      aggregation: "any",
      role: "primary",
      direction: "increase",
      returnDays: 7,
      windowMs: 8 * 24 * hour,
    },
    {
      key: "revenue",
      type: "mean",
      event: "purchase",
      aggregation: "sum",
      role: "secondary",
      direction: "increase",
      cap: 500,
      covariateLookbackDays: 7,
      windowMs: 72 * hour,
    },
    {
      key: "per_order",
      type: "ratio",
      event: "purchase",
      aggregation: "sum",
      denominator: { event: "order", aggregation: "count" },
      role: "secondary",
      direction: "increase",
      windowMs: 24 * hour,
    },
    {
      ...proportion,
      key: "errors",
      role: "guardrail",
      direction: "decrease",
      maxRelativeHarm: 0.02,
      windowMs: hour,
    },
  ]);
});

test("a guardrail's own window stands", () => {
  const { metrics } = experimentOf({
    metrics: { primary: ["a"], guardrail: [{ metric: "slow" }] },
  });
  const slow = metricsOf(metricOf({ key: "slow", windowHours: 6 }));
  expect(resolveMetrics({ metrics }, slow)).toMatchObject([
    { key: "slow", maxRelativeHarm: 0, windowMs: 6 * hour },
  ]);
});
