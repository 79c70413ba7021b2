/**
 * What one exposed unit adds to its metrics, recomputed from its outcomes every time:
 * an exposure that turns out to be earlier closes its windows earlier, so outcomes can leave again.
 */

import type { MetricValue, UnitDocument, UnitExposure } from "./document.ts";
import type { Names } from "./names.ts";
import { graceMs } from "./plan.ts";
import type { CompiledPhase, Reader, Reading } from "./plan.ts";
import type { Aggregation } from "./types.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** The hour of first exposure, in hours since the epoch. */
export function cohortOf(timeMs: number): number {
  return Math.floor(timeMs / hourMs);
}

export interface Contribution {
  /** Metrics that have anything but zeros. */
  values: MetricValue[];
  /** Events that arrived after a window of the unit's cohort had closed. */
  lateEvents: number;
}

interface Sums {
  y: number | undefined;
  d: number | undefined;
  x: number | undefined;
}

export function contributionOf(
  exposure: UnitExposure,
  phase: CompiledPhase,
  document: UnitDocument,
  names: Names,
): Contribution {
  const cohortEndMs = (cohortOf(exposure.timeMs) + 1) * hourMs;
  const isLate = (timeMs: number, delayMinutes: number, closesMs: number) =>
    timeMs + delayMinutes * minuteMs >= cohortEndMs + closesMs + graceMs;

  const sums = phase.readings.map((): Sums => ({ y: undefined, d: undefined, x: undefined }));
  let lateEvents = isLate(exposure.timeMs, exposure.delayMinutes, phase.firstCloseMs) ? 1 : 0;

  for (const { nameId, timeMs, value, delayMinutes } of document.outcomes.all) {
    let late = false;
    for (const reader of phase.readers.get(names.nameOf(nameId)) ?? []) {
      const reading = phase.readings[reader.reading];
      const sum = sums[reader.reading];
      if (!reading || !sum) continue;
      if (!add(sum, reading, reader, timeMs - exposure.timeMs, value)) continue;
      late ||= isLate(timeMs, delayMinutes, reading.closesMs);
    }
    if (late) lateEvents++;
  }

  const values: MetricValue[] = [];
  for (const [i, reading] of phase.readings.entries()) {
    const value = valueOf(reading, sums[i]);
    if (value !== null) values.push(value);
  }
  return { values, lateEvents };
}

/** Whether the outcome counts at all, `sinceMs` after first exposure. */
function add(sums: Sums, reading: Reading, reader: Reader, sinceMs: number, value: number) {
  const { part, aggregation } = reader;
  if (sinceMs >= reading.opensMs && sinceMs < reading.closesMs) {
    sums[part] = aggregate[aggregation](sums[part], value);
    return true;
  }
  if (part === "y" && sinceMs < 0 && sinceMs >= -reading.lookbackMs) {
    sums.x = aggregate[aggregation](sums.x, value);
    return true;
  }
  return false;
}

const aggregate: Record<Aggregation, (sum: number | undefined, value: number) => number> = {
  any: () => 1,
  count: (sum = 0) => sum + 1,
  sum: (sum = 0, value) => sum + value,
  max: (sum, value) => (sum === undefined ? value : Math.max(sum, value)),
};

function valueOf({ key, cap = Infinity }: Reading, sums: Sums | undefined): MetricValue | null {
  const y = Math.min(sums?.y ?? 0, cap);
  const d = sums?.d ?? 0;
  const x = Math.min(sums?.x ?? 0, cap);
  return y === 0 && d === 0 && x === 0 ? null : { metric: key, y, d, x };
}
