/**
 * Populations and cells as a shard gives them: many in a text, because D1 takes longer to hand over a row than to find it. Every number arrives as the
 * double that it is. What a shard has little of comes as it is; of the rest SQL sums each value of a dimension over all its cohorts, since an analysis
 * of a thousand hours would otherwise read each value a thousand times. All units come by cohort either way.
 */

import type { CellRow, CohortRow, PopulationRow } from "../counting/aggregate.ts";

/** Of one experiment: JSON array of entries. */
export interface Packed {
  experiment: string;
  entries: string;
}

const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"] as const;
const [, , ...rarer] = sums;
const weekHours = 168;
/** D1: a text is 2 MB at most. */
const mostBytes = 1_000_000;
/** Of an entry, but for the names that populations have, too. */
const entryBytes = 400;
/** More are summed faster than they are handed over. */
const mostPlaces = 200;

/** ?1: the environment, ?2: JSON of experiment, phase and how many metrics it has. */
const asked = `WITH asked AS MATERIALIZED (
  SELECT one.value ->> 0 AS experiment, one.value ->> 1 AS phase, (
    SELECT count(*) <= ${mostPlaces} AND
      one.value ->> 2 * total(length(variant) + length(dimension) + length(populations.value) + ${entryBytes}) <= ${mostBytes}
    FROM populations WHERE environment = ?1 AND experiment = one.value ->> 0 AND phase = one.value ->> 1
  ) AS isLittle FROM json_each(?2) AS one)`;
const ofMuch =
  "environment = ?1 AND (experiment, phase) IN (SELECT experiment, phase FROM asked WHERE NOT isLittle)";

const span =
  "min(cohort_start) AS cohort_start, max(cohort_start + cohort_hours) - min(cohort_start) AS cohort_hours";
/** In one pass over all units and values, because rows that are read are billed. */
const byCohort = "CASE dimension WHEN '' THEN cohort_start || '+' || cohort_hours END";
const byWeek = `CASE dimension WHEN '' THEN cohort_start / ${weekHours} ELSE 'all' END`;

/** In JSON a real has 15 digits in some versions of SQLite: what is no integer is a text of 17. */
const exact = (sum: string) =>
  `CASE WHEN ${sum} = CAST(${sum} AS INTEGER) THEN CAST(${sum} AS INTEGER) ELSE printf('%!.17g', ${sum}) END`;
const entries = (of: string) => `coalesce('[' || group_concat(${of}) || ']', '[]') AS entries`;
const place = (table: string) => [
  "variant",
  "dimension",
  `${table}.value`,
  "cohort_start",
  "cohort_hours",
];
const array = (columns: readonly string[]) => `json_array(${columns.join(", ")})`;

const population = array([...place("populations"), "n"]);
const common = [...place("cells"), "metric", exact("y"), exact("yy")];
const cell = `CASE WHEN ${rarer.map((sum) => `${sum} = 0`).join(" AND ")} THEN ${array(common)}
  ELSE ${array([...common, ...rarer.map(exact)])} END`;

const littleOf = (table: string, entry: string) => `${asked}
  SELECT asked.experiment, (
    SELECT ${entries(entry)} FROM ${table}
    WHERE environment = ?1 AND ${table}.experiment = asked.experiment AND ${table}.phase = asked.phase
  ) AS entries FROM asked WHERE isLittle`;

export const packedPopulationsSql = `${littleOf("populations", population)}
  UNION ALL SELECT experiment, ${entries(population)} FROM (
    SELECT experiment, variant, dimension, value, ${span}, sum(n) AS n FROM populations WHERE ${ofMuch}
    GROUP BY experiment, phase, dimension, value, variant, ${byCohort}) AS populations
  GROUP BY experiment, ${byWeek}`;

export const packedCellsSql = `${littleOf("cells", cell)}
  UNION ALL SELECT experiment, ${entries(cell)} FROM (
    SELECT experiment, variant, dimension, value, ${span}, metric, ${sums.map((sum) => `sum(${sum}) AS ${sum}`).join(", ")} FROM cells WHERE ${ofMuch}
    GROUP BY experiment, phase, metric, dimension, value, variant, ${byCohort}) AS cells
  GROUP BY experiment, metric, ${byWeek}`;

/** Throws a TypeError on what the statements above do not give. */
export function unpackedPopulations(packed: Packed): PopulationRow[] {
  return entriesOf(packed).map((entry) => ({ ...placeOf(entry), n: numberOf(entry[5]) }));
}

/** Throws a TypeError on what the statements above do not give. */
export function unpackedCells(packed: Packed): CellRow[] {
  return entriesOf(packed).map((entry) => ({
    ...placeOf(entry),
    metric: textOf(entry[5]),
    y: numberOf(entry[6]),
    yy: numberOf(entry[7]),
    d: rarerOf(entry[8]),
    dd: rarerOf(entry[9]),
    yd: rarerOf(entry[10]),
    x: rarerOf(entry[11]),
    xx: rarerOf(entry[12]),
    xy: rarerOf(entry[13]),
  }));
}

function entriesOf({ entries: packed }: Packed): (readonly unknown[])[] {
  const parsed: unknown = JSON.parse(packed);
  if (!isArray(parsed) || !parsed.every((entry) => isArray(entry))) throw misshapen();
  return parsed;
}

function isArray(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function placeOf(entry: readonly unknown[]): CohortRow {
  return {
    variant: textOf(entry[0]),
    dimension: textOf(entry[1]),
    value: textOf(entry[2]),
    cohortStart: numberOf(entry[3]),
    cohortHours: numberOf(entry[4]),
  };
}

/** Left out where it is 0. */
function rarerOf(value: unknown): number {
  return value === undefined ? 0 : numberOf(value);
}

function numberOf(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) throw misshapen();
  return number;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw misshapen();
  return value;
}

function misshapen(): TypeError {
  return new TypeError("a shard has a row of another shape");
}
