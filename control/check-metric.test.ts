import { expect, test } from "vitest";
import { metricOf } from "../test/control-state.ts";
import { checkMetric } from "./check-metric.ts";

const denominator = { event: "visit" };

test.each([
  [{ type: "proportion" }],
  [{ type: "proportion", aggregation: "any", windowHours: 24 }],
  [{ type: "mean", aggregation: "max", cap: 10, covariate: { lookbackDays: 14 } }],
  [{ type: "ratio", denominator, aggregation: "count" }],
  [{ type: "retention", returnDays: 1 }],
])("%o is a metric", (body) => {
  expect(checkMetric(metricOf(body))).toEqual([]);
});

test.each([
  [{ type: "ratio" }, "/denominator"],
  [{ type: "mean", denominator }, "/denominator"],
  [{ type: "retention" }, "/returnDays"],
  [{ type: "mean", returnDays: 3 }, "/returnDays"],
  [{ type: "retention", returnDays: 3, windowHours: 72 }, "/windowHours"],
  [{ type: "proportion", aggregation: "sum" }, "/aggregation"],
  [{ type: "retention", returnDays: 3, aggregation: "count" }, "/aggregation"],
  [{ type: "proportion", cap: 2 }, "/cap"],
])("%o is refused at %s", (body, pointer) => {
  expect(checkMetric(metricOf(body)).map((error) => error.pointer)).toEqual([pointer]);
});
