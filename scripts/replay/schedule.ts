/**
 * When each row happened. The rows lie before the experiment's start, evenly, far enough that every window has closed by then.
 * Times hang on the start alone, so that replaying the same file again sends the very same events.
 */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A cohort is an hour, and matures 15 minutes after its window has closed. */
const maturingHours = 2;

export interface Schedule {
  /** The instant of the row with this index, from 0. */
  timeMs(index: number): number;
  /** The day of the row, from 0. */
  dayOf(index: number): number;
  /** The row that happened at this very instant, or null. */
  rowAt(instantMs: number): number | null;
  /** When all rows of the day have matured. */
  maturedMs(day: number): number;
}

export function schedule(input: {
  startedAtMs: number;
  rows: number;
  days: number;
  windowHours: number;
}): Schedule {
  const { startedAtMs, rows, days, windowHours } = input;
  const afterMs = (windowHours + maturingHours) * hourMs;
  const firstMs = startedAtMs - afterMs - days * dayMs;
  const timeMs = (index: number) => Math.floor(firstMs + (index / rows) * days * dayMs);
  return {
    timeMs,
    rowAt(instantMs) {
      const near = Math.round(((instantMs - firstMs) / (days * dayMs)) * rows);
      const isIt = (index: number) => index >= 0 && index < rows && timeMs(index) === instantMs;
      return [near - 1, near, near + 1].find(isIt) ?? null;
    },
    dayOf: (index) => Math.floor((index / rows) * days),
    maturedMs: (day) => firstMs + (day + 1) * dayMs + afterMs,
  };
}
