/** Which values of dimensions a shard METRICS_s keeps apart (counting/kept-values.ts), and what becomes of the rows of others. */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import { dimensionKey } from "../counting/deltas.ts";
import type { KeptLists, PhaseKey } from "../counting/deltas.ts";
import { otherValue } from "../counting/kept-values.ts";
import type { KeptChange } from "../counting/kept-values.ts";
import type { TableSuffix } from "./delta-statements.ts";
import { jsonParameters } from "./json-parameters.ts";

/** A list is at most 250 values of 100 characters. */
const phasesARead = 50;

const row = z.object({
  environment: z.string(),
  experiment: z.string(),
  phase: z.number(),
  dimension: z.string(),
  kept: z.string(),
});
const texts = z.array(z.string());

/** May be newer than a version read before; then the write is refused. */
export async function readKept(
  db: D1Database,
  phases: readonly PhaseKey[],
  suffix: TableSuffix,
): Promise<KeptLists> {
  const lists = new Map<string, string[]>();
  const statement = db.prepare(
    `SELECT kept.* FROM json_each(?1) AS asked CROSS JOIN dimension_values${suffix} AS kept
     ON kept.environment = asked.value ->> 0 AND kept.experiment = asked.value ->> 1 AND kept.phase = asked.value ->> 2`,
  );
  for (let start = 0; start < phases.length; start += phasesARead) {
    const asked = phases
      .slice(start, start + phasesARead)
      .map(({ environment, experiment, phase }) => [environment, experiment, phase]);
    const { results } = await statement.bind(JSON.stringify(asked)).all();
    for (const { kept, ...at } of z.parse(z.array(row), results)) {
      lists.set(dimensionKey(at), valuesIn(kept));
    }
  }
  return lists;
}

function valuesIn(json: string): string[] {
  return z.parse(texts, JSON.parse(json));
}

/** To be executed before what is added to cells and populations. */
export function keptStatements(
  db: D1Database,
  changes: readonly KeptChange[],
  suffix: TableSuffix,
): D1PreparedStatement[] {
  const bound = (sql: string, rows: unknown[][]) =>
    jsonParameters(
      rows.map((each) => JSON.stringify(each)),
      { open: "[", close: "]" },
    ).map((parameter) => db.prepare(sql).bind(parameter));
  const lists = changes.map((at) => [...placeOf(at), JSON.stringify(at.values)]);
  const gone = changes.flatMap((at) => at.gone.map((value) => [...placeOf(at), value]));
  return [
    ...bound(
      `INSERT INTO dimension_values${suffix} (environment, experiment, phase, dimension, kept)
       SELECT row.value ->> 0, row.value ->> 1, row.value ->> 2, row.value ->> 3, row.value ->> 4
       FROM json_each(?1) AS row WHERE true
       ON CONFLICT (environment, experiment, phase, dimension) DO UPDATE SET kept = excluded.kept`,
      lists,
    ),
    ...bound(joining(`populations${suffix}`, [], ["n"]), gone),
    ...bound(joining(`cells${suffix}`, ["metric"], sums), gone),
    ...bound(removing(`populations${suffix}`), gone),
    ...bound(removing(`cells${suffix}`), gone),
  ];
}

const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"];

function placeOf({ environment, experiment, phase, dimension }: KeptChange) {
  return [environment, experiment, phase, dimension];
}

/** Adds the rows of values that are gone to those of "other". */
function joining(table: string, more: string[], values: string[]): string {
  const same = ["environment", "experiment", "phase", "dimension", "variant"];
  const key = [...same, "cohort_start", "cohort_hours", ...more];
  const from = key.map((column) => `old.${column}`).join(", ");
  return `INSERT INTO ${table} (${key.join(", ")}, value, ${values.join(", ")})
    SELECT ${from}, '${otherValue}', ${values.map((each) => `sum(old.${each})`).join(", ")}
    FROM json_each(?1) AS gone CROSS JOIN ${table} AS old ON ${isGone} GROUP BY ${from}
    ON CONFLICT (${key.join(", ")}, value) DO UPDATE SET ${values.map((each) => `${each} = ${each} + excluded.${each}`).join(", ")}`;
}

const isGone = ["environment", "experiment", "phase", "dimension", "value"]
  .map((column, i) => `old.${column} = gone.value ->> ${i}`)
  .join(" AND ");

function removing(table: string): string {
  return `DELETE FROM ${table} WHERE (environment, experiment, phase, dimension, value) IN
    (SELECT gone.value ->> 0, gone.value ->> 1, gone.value ->> 2, gone.value ->> 3, gone.value ->> 4
     FROM json_each(?1) AS gone)`;
}
