/** The statements that add a batch's changes to the cells, populations, tallies and activity of a shard. */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import type { Deltas } from "../counting/deltas.ts";
import { jsonParameters } from "./json-parameters.ts";

const place = ["environment", "experiment", "phase", "variant", "dimension", "value"];
const cohort = ["cohort_start", "cohort_hours"];
const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"];

/** Which of the twin tables are written: "" or "_rebuild". */
export type TableSuffix = "" | "_rebuild";

/** What is added to cells, populations and tallies. */
export function deltaStatements(
  db: D1Database,
  { populations, cells, tallies }: Deltas,
  suffix: TableSuffix,
): D1PreparedStatement[] {
  return [
    ...statements(
      db,
      addition(`populations${suffix}`, [...place, ...cohort], ["n"]),
      populations.map((at) => [
        at.environment,
        at.experiment,
        at.phase,
        at.variant,
        at.dimension,
        at.value,
        at.cohortStart,
        1,
        at.n,
      ]),
    ),
    ...statements(
      db,
      addition(`cells${suffix}`, [...place, ...cohort, "metric"], sums),
      cells.map((at) => [
        at.environment,
        at.experiment,
        at.phase,
        at.variant,
        at.dimension,
        at.value,
        at.cohortStart,
        1,
        at.metric,
        at.y,
        at.yy,
        at.d,
        at.dd,
        at.yd,
        at.x,
        at.xx,
        at.xy,
      ]),
    ),
    ...statements(
      db,
      addition(
        `tallies${suffix}`,
        ["environment", "experiment", "phase", "cause", "detail"],
        ["n"],
      ),
      tallies.map((at) => [at.environment, at.experiment, at.phase, at.cause, at.detail, at.n]),
    ),
  ];
}

/** `version` is the shard's after these changes. */
export function activityStatements(
  db: D1Database,
  { activity }: Deltas,
  version: number,
): D1PreparedStatement[] {
  return statements(
    db,
    upsert("activity", ["environment", "experiment"], {
      version: "excluded.version",
      last_event_ms: "max(last_event_ms, excluded.last_event_ms)",
    }),
    activity.map((at) => [at.environment, at.experiment, version, at.lastEventMs]),
  );
}

function statements(db: D1Database, sql: string, rows: unknown[][]): D1PreparedStatement[] {
  return jsonParameters(
    rows.map((row) => JSON.stringify(row)),
    { open: "[", close: "]" },
  ).map((parameter) => db.prepare(sql).bind(parameter));
}

/** Adds `values` to the row of that key, or makes it. */
function addition(table: string, key: string[], values: string[]): string {
  const updates: { [column: string]: string } = {};
  for (const column of values) updates[column] = `${column} + excluded.${column}`;
  return upsert(table, key, updates);
}

/** Rows come as JSON arrays in the order of the columns: the key's, then the updated ones. */
function upsert(table: string, key: string[], updates: { [column: string]: string }): string {
  const columns = [...key, ...Object.keys(updates)];
  const values = columns.map((_, i) => `row.value ->> ${i}`);
  const sets = Object.entries(updates).map(([column, value]) => `${column} = ${value}`);
  return `INSERT INTO ${table} (${columns.join(", ")})
    SELECT ${values.join(", ")} FROM json_each(?1) AS row WHERE true
    ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${sets.join(", ")}`;
}
