/**
 * From the rows of every shard to what an analysis reads: per metric, variant and dimension value the number of units and their sums.
 * *Current* takes every cohort, for watching; *matured* only cohorts whose window had closed at an instant, for looks and guardrails.
 */

import { addSums, noSums } from "./cell-sums.ts";
import { isOrigin } from "./dimensions.ts";
import { lowestValues, otherValue, shownValue } from "./kept-values.ts";
import { closesAfterMs, graceMs } from "./plan.ts";
import type { CellSums, CountedMetric } from "./types.ts";

const hourMs = 3_600_000;

/** Values of a dimension that are shown; the rest are "other". */
const shownAtMost = 50;

export interface CohortRow {
  variant: string;
  /** "" for all units, as is `value`. */
  dimension: string;
  value: string;
  /** In hours since the epoch. */
  cohortStart: number;
  cohortHours: number;
}

export interface PopulationRow extends CohortRow {
  n: number;
}

export interface CellRow extends CohortRow, CellSums {
  metric: string;
}

/** One phase of one experiment, from all shards. */
export interface CohortRows {
  populations: readonly PopulationRow[];
  cells: readonly CellRow[];
}

/** Every metric has one for each variant and dimension value that has units, with zeros where it has no outcomes; the origin's dimensions have none. */
export interface Aggregate {
  metric: string;
  variant: string;
  dimension: string;
  value: string;
  n: number;
  sums: CellSums;
}

export interface Population {
  variant: string;
  dimension: string;
  value: string;
  n: number;
}

/** Exposed units by variant and dimension value, over all cohorts. */
export function populationsOf({ populations }: CohortRows): Population[] {
  return sumPopulations(populations, shownValues(populations));
}

export function current(rows: CohortRows, metrics: readonly CountedMetric[]): Aggregate[] {
  return aggregate(rows, metrics, () => Infinity);
}

/** Only cohorts whose window for the metric, and the grace after it, had closed at `asOfMs`. */
export function matured(
  rows: CohortRows,
  metrics: readonly CountedMetric[],
  asOfMs: number,
): Aggregate[] {
  return aggregate(rows, metrics, (metric) => asOfMs - closesAfterMs(metric) - graceMs);
}

function aggregate(
  { populations, cells }: CohortRows,
  metrics: readonly CountedMetric[],
  cohortsEndedByMs: (metric: CountedMetric) => number,
): Aggregate[] {
  const shown = shownValues(populations);
  const withCells = populations.filter(({ dimension }) => !isOrigin(dimension));
  const cellsOf = Map.groupBy(cells, (cell) => cell.metric);
  const populationsBy = new Map<number, Population[]>();

  return metrics.flatMap((metric) => {
    const limitMs = cohortsEndedByMs(metric);
    const isClosed = ({ cohortStart, cohortHours }: CohortRow) =>
      (cohortStart + cohortHours) * hourMs <= limitMs;
    let closed = populationsBy.get(limitMs);
    if (!closed) {
      closed = sumPopulations(withCells.filter(isClosed), shown);
      populationsBy.set(limitMs, closed);
    }
    const aggregates = new Map(
      closed.map((place) => [keyOf(place), { metric: metric.key, ...place, sums: noSums() }]),
    );
    for (const cell of cellsOf.get(metric.key) ?? []) {
      if (!isClosed(cell)) continue;
      const into = aggregates.get(keyOf(placeOf(cell, shown)));
      if (into) addSums(into.sums, cell);
    }
    return [...aggregates.values()];
  });
}

type Place = Omit<Population, "n">;

/** Places in which nobody is left (all quarantined, say) are none. */
function sumPopulations(rows: readonly PopulationRow[], shown: ReadonlySet<string>): Population[] {
  const sums = new Map<string, Population>();
  for (const row of rows) {
    const place = placeOf(row, shown);
    const known = sums.get(keyOf(place));
    if (known) known.n += row.n;
    else sums.set(keyOf(place), { ...place, n: row.n });
  }
  return [...sums.values()].filter(({ n }) => n > 0);
}

function placeOf({ variant, dimension, value }: CohortRow, shown: ReadonlySet<string>): Place {
  const isShown = dimension === "" || shown.has(valueKey(dimension, value));
  return { variant, dimension, value: isShown ? value : otherValue };
}

/**
 * The values with most units of each dimension, the same ones whatever part of the cohorts is read. What one shard keeps, another may have
 * counted as "other": only what is kept of all of them together is whole (kept-values.ts).
 */
function shownValues(rows: readonly PopulationRow[]): Set<string> {
  const byDimension = new Map<string, Map<string, number>>();
  for (const { dimension, value, n } of rows) {
    if (dimension === "") continue;
    const counts = byDimension.get(dimension) ?? new Map<string, number>();
    counts.set(value, (counts.get(value) ?? 0) + n);
    byDimension.set(dimension, counts);
  }
  const shown = new Set<string>();
  for (const [dimension, counts] of byDimension) {
    const kept = new Set(lowestValues([...counts.keys()]));
    const whole = [...counts].filter(([value]) => shownValue(value, kept) === value);
    const most = whole.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    for (const [value] of most.slice(0, shownAtMost)) shown.add(valueKey(dimension, value));
  }
  return shown;
}

/** Unambiguous, because only the last part is free text. */
function keyOf({ variant, dimension, value }: Place): string {
  return `${variant}\u001f${dimension}\u001f${value}`;
}

function valueKey(dimension: string, value: string): string {
  return `${dimension}\u001f${value}`;
}
