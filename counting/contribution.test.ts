import { describe, expect, test } from "vitest";
import {
  bought,
  cellAt,
  counted,
  day,
  exposed,
  hour,
  once,
  planOf,
  populationAt,
  start,
  startHour,
} from "../test/checkout-events.ts";
import type { CountedEvent, CountedMetric } from "./types.ts";

describe("what a metric reads", () => {
  const cells = (metric: Omit<CountedMetric, "key" | "windowMs">, events: CountedEvent[]) =>
    counted(planOf({ metrics: [{ key: "m", windowMs: 72 * hour, ...metric }] }), [
      exposed(),
      ...events,
    ]).cells[cellAt("control", startHour, "m")];
  const mean = { type: "mean", event: "purchase" } as const;
  const viewed = (timeMs: number, value?: number) => bought(timeMs, value, { name: "view" });
  const purchases = [bought(start + 1, 2.5), bought(start + 2, -4), bought(start + 3)];

  test("a proportion: whether at all", () => {
    expect(cells({ ...mean, type: "proportion", aggregation: "sum" }, purchases)).toEqual(once);
  });

  test("a mean of sums, counts, maxima; the value is 1 when absent", () => {
    expect(cells({ ...mean, aggregation: "sum" }, purchases)?.[0]).toBe(-0.5);
    expect(cells({ ...mean, aggregation: "count" }, purchases)?.[0]).toBe(3);
    expect(cells({ ...mean, aggregation: "max" }, purchases)?.[0]).toBe(2.5);
    expect(cells({ ...mean, aggregation: "max" }, [bought(start, -4)])?.[0]).toBe(-4);
    expect(cells({ ...mean, aggregation: "any" }, purchases)?.[0]).toBe(1);
  });

  test("a cap: the unit's value, not each outcome's", () => {
    const twice = [bought(start, 3), bought(start, 4)];
    expect(cells({ ...mean, aggregation: "sum", cap: 5 }, twice)).toEqual([
      5, 25, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test("a ratio: numerator, denominator and their product", () => {
    const ratio = {
      ...mean,
      type: "ratio",
      aggregation: "sum",
      denominator: { event: "view", aggregation: "count" },
    } as const;
    const events = [bought(start, 6), viewed(start, 9), viewed(start + 1, 9)];
    expect(cells(ratio, events)).toEqual([6, 36, 2, 4, 12, 0, 0, 0]);
  });

  test("retention: back within day N, whatever the window", () => {
    const retention = {
      ...mean,
      type: "retention",
      aggregation: "any",
      returnDays: 7,
      event: "view",
    } as const;
    expect(cells(retention, [viewed(start + 7 * day - 1), viewed(start + 8 * day)])).toBe(
      undefined,
    );
    expect(cells(retention, [viewed(start + 7 * day)])).toEqual(once);
    expect(cells(retention, [viewed(start + 8 * day - 1)])).toEqual(once);
  });

  test("a covariate: the same reading of the lookback before first exposure", () => {
    const metric = { ...mean, aggregation: "sum", cap: 10, covariateLookbackDays: 7 } as const;
    const events = [
      bought(start - 7 * day, 2),
      bought(start - 7 * day - 1, 100),
      bought(start - 1, 1),
      bought(start, 5),
    ];
    expect(cells(metric, events)).toEqual([5, 25, 0, 0, 0, 3, 9, 15]);
  });
});

describe("dimensions", () => {
  test("are those of the earliest exposure; missing, null and structured values are unknown", () => {
    const plan = planOf({ dimensions: ["country", "app", "toString"] });
    const { populations } = counted(
      plan,
      [exposed({ timeMs: start + 9, attributes: { country: "FR", app: 2 } })],
      [exposed({ timeMs: start + 5, attributes: { country: "US", app: { major: 2 } } })],
    );
    expect(populations).toEqual({
      [populationAt("control")]: 1,
      [`1 control country US ${startHour}`]: 1,
      [`1 control app unknown ${startHour}`]: 1,
      [`1 control toString unknown ${startHour}`]: 1,
    });
  });

  test("are cut to 100 characters, never through a surrogate pair", () => {
    const plan = planOf({ dimensions: ["country"] });
    const long = `${"x".repeat(99)}😀`;
    const { populations } = counted(plan, [exposed({ attributes: { country: long } })]);
    expect(populations).toHaveProperty([`1 control country ${"x".repeat(99)} ${startHour}`], 1);
  });
});
