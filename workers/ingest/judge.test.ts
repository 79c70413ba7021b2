import { describe, expect, test } from "vitest";
import { compilePlan } from "../../counting/plan.ts";
import type { Source } from "../../counting/types.ts";
import { day, minute, planOf, start } from "../../test/checkout-events.ts";
import { clockShift, judge } from "./judge.ts";

const now = start + 5 * day;
const reception = {
  plan: compilePlan(planOf()),
  source: "server" as Source,
  receivedAtMs: now,
  clockShiftMs: 0,
};
const at = (timeMs: number) => ({ timestamp: new Date(timeMs).toISOString() });
const exposure = {
  type: "exposure",
  experiment: "checkout",
  variant: "control",
  unit: "u1",
  ...at(now),
};
const outcome = { type: "outcome", id: "o1", name: "purchase", unit: "u1", ...at(now) };
const codes = (raw: object, rest: object = {}) =>
  judge([raw], { ...reception, ...rest }).rejected.map(({ code }) => code);

test("an exposure is of the experiment's unit kind", () => {
  expect(judge([exposure], reception).events).toEqual([
    {
      type: "exposure",
      experiment: "checkout",
      variant: "control",
      kind: "user",
      unit: "u1",
      timeMs: now,
      source: "server",
    },
  ]);
});

test("an outcome is one event for each kind of its units, and counts as one accepted", () => {
  const { unit: _, ...bare } = outcome;
  const judged = judge([{ ...bare, units: { user: "u1", targetingKey: 7 } }], reception);
  expect(judged.accepted).toBe(1);
  expect(judged.events).toEqual([
    {
      type: "outcome",
      id: "o1",
      name: "purchase",
      kind: "user",
      unit: "u1",
      timeMs: now,
      source: "server",
    },
    {
      type: "outcome",
      id: "o1",
      name: "purchase",
      kind: "targetingKey",
      unit: "7",
      timeMs: now,
      source: "server",
    },
  ]);
});

test("each event stands for itself: the others are accepted, and the wrong ones named by index", () => {
  const judged = judge([outcome, {}, exposure, { ...exposure, variant: "blue" }], reception);
  expect(judged.accepted).toBe(2);
  expect(judged.events).toHaveLength(2);
  expect(judged.rejected).toEqual([
    { index: 1, code: "invalid-event", detail: 'type must be "exposure" or "outcome".' },
    {
      index: 3,
      code: "unknown-variant",
      detail: "variant blue is none of experiment checkout: control, one_page.",
    },
  ]);
});

test("names that the plan does not know are rejected by name", () => {
  expect(codes({ ...exposure, experiment: "search" })).toEqual(["unknown-experiment"]);
  expect(codes({ ...exposure, experiment: "constructor" })).toEqual(["unknown-experiment"]);
  const { unit: _, ...bare } = outcome;
  expect(codes({ ...bare, units: { user: "u", company: "c" } })).toEqual(["unknown-unit-kind"]);
});

describe("time", () => {
  test("is taken up to 3 days old and 5 minutes ahead", () => {
    expect(codes({ ...outcome, ...at(now - 3 * day) })).toEqual([]);
    expect(codes({ ...outcome, ...at(now - 3 * day - 1) })).toEqual(["timestamp-too-old"]);
    expect(codes({ ...outcome, ...at(now + 5 * minute) })).toEqual([]);
    expect(codes({ ...outcome, ...at(now + 5 * minute + 1) })).toEqual(["timestamp-in-future"]);
  });

  test("of an import may be any past since the year 2000: earlier is a date that was not set", () => {
    const start = Date.UTC(2000, 0, 1);
    expect(codes({ ...outcome, ...at(start) }, { source: "import" })).toEqual([]);
    for (const unset of [0, start - 1]) {
      const rejected = codes({ ...outcome, ...at(unset) }, { source: "import" });
      expect(rejected).toEqual(["timestamp-too-old"]);
    }
    expect(codes({ ...outcome, ...at(now + 5 * minute + 1) }, { source: "import" })).toEqual([
      "timestamp-in-future",
    ]);
  });

  test("is shifted by the sender's clock when that is more than 2 s off, before it is judged", () => {
    expect(clockShift(now - 2_000, now, "server")).toBe(0);
    expect(clockShift(now - 2_001, now, "client")).toBe(2_001);
    expect(clockShift(now + 10 * minute, now, "client")).toBe(-10 * minute);
    expect(clockShift(now - day, now, "import")).toBe(0);
    expect(clockShift(null, now, "server")).toBe(0);
    const shifted = { ...reception, clockShiftMs: -10 * minute };
    expect(judge([{ ...outcome, ...at(now + 8 * minute) }], shifted).events[0]?.timeMs).toBe(
      now - 2 * minute,
    );
  });
});
