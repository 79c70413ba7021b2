/**
 * Populations and cells as a shard gives them: many in a text, because D1 takes longer to hand over a row than to find it. Every number arrives as the
 * double that it is. What a shard has little of comes as it is; of the rest SQL sums each value of a dimension over all its cohorts, since an analysis
 * of a thousand hours would otherwise read each value a thousand times. All units come by cohort either way. Every part is read in the order of its key:
 * sorting costs more than all else.
 */

import type { CellRow, CohortRow, PopulationRow } from "../counting/aggregate.ts";

/** Of one experiment: JSON array of entries. */
export interface Packed {
  experiment: string;
  entries: string;
}

const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"] as const;
const [, , ...rarer] = sums;
/** D1: a text is 2 MB at most. */
const mostBytes = 1_000_000;
/** Of an entry, but for the names that populations have, too. */
const entryBytes = 400;
/** More are summed faster than they are handed over. */
const mostPlaces = 200;

/** ?1: the environment, ?2: JSON of experiment, phase and how many metrics it has. */
const asked = `asked AS MATERIALIZED (
  SELECT one.value ->> 0 AS experiment, one.value ->> 1 AS phase, (
    SELECT count(*) <= ${mostPlaces} AND
      one.value ->> 2 * total(length(variant) + length(dimension) + length(populations.value) + ${entryBytes}) <= ${mostBytes}
    FROM populations WHERE environment = ?1 AND experiment = one.value ->> 0 AND phase = one.value ->> 1
  ) AS isLittle FROM json_each(?2) AS one)`;
/** The values of a column, one after another by its key: far fewer rows are read than by `distinct`. */
const each = (name: string, column: string, table: string, where = "") => {
  const least = (of: string, more: string) =>
    `(SELECT min(${column}) FROM ${table} AS one WHERE environment = ?1 AND one.experiment = ${of}.experiment AND one.phase = ${of}.phase ${where} ${more})`;
  return `${name} (experiment, phase, ${column}) AS (
    SELECT experiment, phase, ${least("asked", "")} FROM asked WHERE NOT isLittle
    UNION ALL SELECT experiment, phase, ${least(name, `AND one.${column} > ${name}.${column}`)} FROM ${name} WHERE ${column} IS NOT NULL)`;
};
const eachVariant = each("variants", "variant", "populations", "AND dimension = '' AND value = ''");
const eachDimension = each("dimensions", "dimension", "populations");
const eachMetric = each("metrics", "metric", "cells");

const span =
  "min(cohort_start) AS cohort_start, max(cohort_start + cohort_hours) - min(cohort_start) AS cohort_hours";

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

/** Of one table, by `asked`. */
const littleOf = (table: string, entry: string) => `
  SELECT asked.experiment, (
    SELECT ${entries(entry)} FROM ${table}
    WHERE environment = ?1 AND ${table}.experiment = asked.experiment AND ${table}.phase = asked.phase
  ) AS entries FROM asked WHERE isLittle`;

export const packedPopulationsSql = `WITH RECURSIVE ${asked}, ${eachVariant}, ${eachDimension}
  ${littleOf("populations", population)}
  UNION ALL SELECT v.experiment, (
    SELECT ${entries(population)} FROM populations
    WHERE environment = ?1 AND populations.experiment = v.experiment AND populations.phase = v.phase
      AND dimension = '' AND value = '' AND populations.variant = v.variant
  ) FROM variants AS v WHERE v.variant IS NOT NULL
  UNION ALL SELECT d.experiment, (
    SELECT ${entries(population)} FROM (
      SELECT variant, dimension, value, ${span}, sum(n) AS n FROM populations
      WHERE environment = ?1 AND populations.experiment = d.experiment AND populations.phase = d.phase AND populations.dimension = d.dimension
      GROUP BY value, variant) AS populations
  ) FROM dimensions AS d WHERE d.dimension > ''`;

export const packedCellsSql = `WITH RECURSIVE ${asked}, ${eachVariant}, ${eachDimension}, ${eachMetric}
  ${littleOf("cells", cell)}
  UNION ALL SELECT m.experiment, (
    SELECT ${entries(cell)} FROM cells
    WHERE environment = ?1 AND cells.experiment = m.experiment AND cells.phase = m.phase AND cells.metric = m.metric
      AND dimension = '' AND value = '' AND cells.variant = v.variant
  ) FROM metrics AS m JOIN variants AS v ON v.experiment = m.experiment AND v.phase = m.phase AND v.variant IS NOT NULL
  WHERE m.metric IS NOT NULL
  UNION ALL SELECT m.experiment, (
    SELECT ${entries(cell)} FROM (
      SELECT metric, variant, dimension, value, ${span}, ${sums.map((sum) => `sum(${sum}) AS ${sum}`).join(", ")} FROM cells
      WHERE environment = ?1 AND cells.experiment = m.experiment AND cells.phase = m.phase AND cells.metric = m.metric AND cells.dimension = d.dimension
      GROUP BY value, variant) AS cells
  ) FROM metrics AS m JOIN dimensions AS d ON d.experiment = m.experiment AND d.phase = m.phase AND d.dimension > ''
  WHERE m.metric IS NOT NULL`;

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
