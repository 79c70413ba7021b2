import { describe, expect, test } from "vitest";
import type { Breach } from "../contracts/phase.ts";
import { startedOf } from "../test/control-state.ts";
import { rollableDays } from "./rollable-days.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const [phase] = startedOf().phases;
const [metric] = phase?.metrics ?? [];
if (phase === undefined || metric === undefined) throw new Error("no metric");

/** The window is 72 hours, so that a day is settled 6 days and 15 minutes after its end. */
const asOf = (day: number, ms: number) => (day + 1) * dayMs + ms;
const settledMs = 6 * dayMs + hourMs / 4;
const watched = (watchesFromMs: number) => ({ ...phase, breaches: [{ watchesFromMs } as Breach] });

describe("a day is kept as one cohort", () => {
  test("once every window has closed, grace and lateness included, to the millisecond", () => {
    const at = (ms: number) => rollableDays(phase, [10], { newestDay: 99, asOfMs: asOf(10, ms) });
    expect(at(settledMs)).toEqual([10]);
    expect(at(settledMs - 1)).toEqual([]);
    const longer = { ...metric, key: "other", windowMs: 73 * hourMs };
    const both = { ...phase, metrics: [metric, longer] };
    const later = (ms: number) =>
      rollableDays(both, [10], { newestDay: 99, asOfMs: asOf(10, settledMs + ms) });
    expect(later(hourMs)).toEqual([10]);
    expect(later(hourMs - 1)).toEqual([]);
  });

  test("but for the newest", () => {
    const asOfMs = asOf(99, 0);
    expect(rollableDays(phase, [8, 9, 10], { newestDay: 10, asOfMs })).toEqual([8, 9]);
  });

  test("unless a guardrail watches from an hour inside it", () => {
    const days = (watchesFromMs: number) =>
      rollableDays(watched(watchesFromMs), [9, 10, 11], { newestDay: 99, asOfMs: asOf(99, 0) });
    expect(days(10 * dayMs + hourMs)).toEqual([9, 11]);
    expect(days(10 * dayMs)).toEqual([9, 10, 11]);
    expect(days(11 * dayMs - hourMs)).toEqual([9, 11]);
  });
});
