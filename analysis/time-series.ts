/**
 * A point a day and comparison: everybody who was first exposed by the end of that UTC day, with what is known of them now, by fixed-sample methods; and the looks
 * that were taken on it. For plotting: between looks nothing is decided, and no z but a look's is held against a boundary.
 */

import type { Phase } from "../contracts/phase.ts";
import type { TimeSeries, TimeSeriesPoint } from "../contracts/time-series.ts";
import { current } from "../counting/aggregate.ts";
import type { CohortRow, CohortRows } from "../counting/aggregate.ts";
import type { LedgerRow } from "./ledger.ts";
import { allUnits, compare, readingOf, readingsOf, tooLittle } from "./readings.ts";

const dayHours = 24;
const hourMs = 3_600_000;

export function timeSeries(
  { phase, ledger }: { phase: Phase; ledger: readonly LedgerRow[] },
  rows: CohortRows,
): TimeSeries["series"] {
  const overall = allUnits(rows);
  const days = daysOf(overall);
  const variants = phase.variants.map(({ variant }) => variant);
  const pointsByDay = days.map((day) => {
    const isSeen = ({ cohortStart }: CohortRow) => cohortStart < (day + 1) * dayHours;
    const seen = current(
      { populations: overall.populations.filter(isSeen), cells: overall.cells.filter(isSeen) },
      phase.metrics,
    );
    return { day, seen };
  });
  return phase.metrics.flatMap((metric) =>
    variants
      .filter((variant) => variant !== phase.control)
      .map((variant) => ({
        metric: metric.key,
        role: metric.role,
        variant,
        points: pointsByDay.map(({ day, seen }): TimeSeriesPoint => {
          const readings = readingsOf(metric.key, variants, seen);
          const control = readingOf(readings, phase.control);
          const treatment = readingOf(readings, variant);
          const names = { control: phase.control, treatment: variant, level: 1 - phase.plan.alpha };
          const found =
            tooLittle(metric, [control, treatment]) === null
              ? compare(metric, readings, names)
              : null;
          return {
            day: nameOf(day),
            units: { [phase.control]: control.n, [variant]: treatment.n },
            sums: { [phase.control]: control.sums.y, [variant]: treatment.sums.y },
            lift: found?.effect ?? null,
            relativeLift: found?.relativeEffect ?? null,
            confidenceInterval: found?.confidenceInterval ?? null,
            z: found?.z ?? null,
          };
        }),
        looks: ledger
          .filter((row) => row.metric === metric.key && row.variant === variant)
          .map((row) => ({
            look: row.look,
            takenAt: new Date(row.takenAtMs).toISOString(),
            z: row.z,
            boundary: row.boundary,
            crossed: row.crossed,
          })),
      })),
  );
}

/** Since the epoch; those on which somebody was exposed first: on any other nothing changes. */
function daysOf({ populations }: CohortRows): number[] {
  const days = populations.map(({ cohortStart }) => Math.floor(cohortStart / dayHours));
  return [...new Set(days)].toSorted((a, b) => a - b);
}

function nameOf(day: number): string {
  return new Date(day * dayHours * hourMs).toISOString().slice(0, 10);
}
