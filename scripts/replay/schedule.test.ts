import { expect, test } from "vitest";
import { schedule } from "./schedule.ts";

const hourMs = 3_600_000;
const startedAtMs = Date.UTC(2026, 5, 1);

test("rows lie before the start, in order, far enough that all have matured by then", () => {
  const times = schedule({ startedAtMs, rows: 1_000, days: 14, windowHours: 1 });
  const all = Array.from({ length: 1_000 }, (_, index) => times.timeMs(index));
  expect(all).toEqual(all.toSorted((a, b) => a - b));
  // The last cohort's hour, the window and 15 minutes of grace.
  expect(times.timeMs(999) + (1 + 1 + 0.25) * hourMs).toBeLessThanOrEqual(startedAtMs);
  expect(times.maturedMs(13)).toBe(startedAtMs);
});

test("each day has its share of the rows, and no row of the next has happened when its own have matured but for the window", () => {
  const times = schedule({ startedAtMs, rows: 1_000, days: 4, windowHours: 1 });
  const perDay = [0, 1, 2, 3].map(
    (day) =>
      Array.from({ length: 1_000 }, (_, i) => i).filter((i) => times.dayOf(i) === day).length,
  );
  expect(perDay).toEqual([250, 250, 250, 250]);
});

test("an instant tells its row, and one of another schedule's end is none of this one's", () => {
  const three = schedule({ startedAtMs, rows: 2_000, days: 3, windowHours: 1 });
  const one = schedule({ startedAtMs, rows: 2_000, days: 1, windowHours: 1 });
  expect(three.rowAt(three.timeMs(1_234))).toBe(1_234);
  expect(three.rowAt(three.timeMs(1_234) + 1)).toBe(null);
  expect(one.rowAt(three.timeMs(1_999))).not.toBe(1_999);
});
