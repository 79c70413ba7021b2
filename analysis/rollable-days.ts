/**
 * Which days of a phase may be kept as one cohort instead of 24, so that no answer changes: all windows have closed, hardly anything arrives for them
 * any more, no guardrail watches from an instant inside, and it is not the newest, whose last hour says how far the data have matured.
 */

import { limits } from "../contracts/limits.ts";
import type { Phase } from "../contracts/phase.ts";
import { closesAfterMs, graceMs } from "../counting/plan.ts";

const dayMs = 24 * 3_600_000;

/** Of values of dimensions every day that is over: nothing reads them by cohort. Days are counted from the epoch, in UTC. */
export function rollableSegmentDays(
  days: readonly number[],
  { asOfMs }: { asOfMs: number },
): number[] {
  return days.filter((day) => (day + 1) * dayMs <= asOfMs);
}

/** Of all units. Days are counted from the epoch, in UTC. `newestDay`: of the phase, in the same shard. */
export function rollableDays(
  { metrics, breaches = [] }: Pick<Phase, "metrics" | "breaches">,
  days: readonly number[],
  { newestDay, asOfMs }: { newestDay: number; asOfMs: number },
): number[] {
  const closesMs = metrics.map(closesAfterMs).reduce((longest, ms) => Math.max(longest, ms), 0);
  const settledMs = asOfMs - closesMs - graceMs - limits.eventMaxAgeMs;
  const isWatchedFrom = (day: number) =>
    breaches.some(({ watchesFromMs }) => {
      const sinceMs = watchesFromMs - day * dayMs;
      return sinceMs > 0 && sinceMs < dayMs;
    });
  return days.filter(
    (day) => (day + 1) * dayMs <= settledMs && day < newestDay && !isWatchedFrom(day),
  );
}
