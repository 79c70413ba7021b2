/** What a rebuild counted otherwise than the consumers did: rows that differ, by experiment. Reads one moment of a shard. */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod/mini";

const ofExperiment = { environment: z.string(), experiment: z.string() };
const differs = z.object({ ...ofExperiment, rows: z.number() });

const difference = {
  /** Rows of populations, cells and tallies that differ. */
  rows: z.number(),
  experiments: z.array(differs),
  /** More units were counted than the archive has: it is not whole, and nothing may be replaced. */
  incomplete: z.array(z.object(ofExperiment)),
};

export type RebuildDifference = z.output<z.ZodMiniObject<typeof difference>>;

/** As a rebuild notes it, with the first of the experiments. */
export const rebuildResult = z.object({ ...difference, swapped: z.boolean() });

export type RebuildResult = z.output<typeof rebuildResult>;

/** Sums of floating point in another order differ by less. */
const relativeTolerance = 1e-9;

const phase = ["environment", "experiment", "phase"];
const place = ["variant", "dimension", "value"];
/** By the hour, but for days of a phase that are rolled up, in whole or in part: those by the day. All units have other such days than the values of dimensions. */
const day = "environment, experiment, phase, dimension = '', cohort_start / 24";
const cohort = `CASE WHEN (${day}) IN (
    SELECT ${day} FROM populations WHERE cohort_hours = 24 UNION SELECT ${day} FROM cells WHERE cohort_hours = 24)
  THEN cohort_start / 24 * 24 ELSE cohort_start END`;
const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"];

/** `experiments`: those compared, see `experimentKey`. */
export async function rebuildDifference(
  db: D1Database,
  experiments: readonly string[],
): Promise<RebuildDifference> {
  const list = JSON.stringify(experiments);
  const results = await db.batch([
    differing(db, "populations", [...phase, ...place, "cohort"], ["n"], list),
    differing(db, "cells", [...phase, ...place, "cohort", "metric"], sums, list),
    differing(db, "tallies", [...phase, "cause", "detail"], ["n"], list),
    missing(db, list),
  ]);
  const [populations, cells, tallies, incomplete] = results.map((each) =>
    z.parse(z.array(differs), each.results),
  );
  const byExperiment = new Map<string, z.output<typeof differs>>();
  for (const row of [populations, cells, tallies].flatMap((rows) => rows ?? [])) {
    const key = `${row.environment}\u001f${row.experiment}`;
    const known = byExperiment.get(key);
    if (known) known.rows += row.rows;
    else byExperiment.set(key, row);
  }
  const found = [...byExperiment.values()];
  return {
    rows: found.reduce((sum, { rows }) => sum + rows, 0),
    experiments: found,
    incomplete: (incomplete ?? []).map(({ environment, experiment }) => ({
      environment,
      experiment,
    })),
  };
}

const among = "(environment || char(31) || experiment) IN (SELECT value FROM json_each(?1))";

/** A row of zeros is as good as none. */
function differing(
  db: D1Database,
  table: "populations" | "cells" | "tallies",
  key: readonly string[],
  values: readonly string[],
  list: string,
): D1PreparedStatement {
  const columns = key.map((column) => (column === "cohort" ? `${cohort} AS cohort` : column));
  const negated = values.map((value) => `-${value} AS ${value}`).join(", ");
  const isOff = values
    .map((value) => `abs(sum(${value})) > ${relativeTolerance} * (1 + sum(abs(${value})))`)
    .join(" OR ");
  return db
    .prepare(
      `SELECT environment, experiment, count(*) AS rows FROM (
         SELECT environment, experiment FROM (
           SELECT ${columns.join(", ")}, ${values.join(", ")} FROM ${table} WHERE ${among}
           UNION ALL SELECT ${columns.join(", ")}, ${negated} FROM ${table}_rebuild WHERE ${among})
         GROUP BY ${key.join(", ")} HAVING ${isOff})
       GROUP BY environment, experiment`,
    )
    .bind(list);
}

/** Every unit that was counted in a phase, or left out of its population, has an exposure in the archive. */
function missing(db: D1Database, list: string): D1PreparedStatement {
  const units = (suffix: "" | "_rebuild", sign: "" | "-") =>
    `SELECT environment, experiment, phase, ${sign}n AS n FROM populations${suffix}
       WHERE dimension = '' AND ${among}
     UNION ALL SELECT environment, experiment, phase, ${sign}n AS n FROM tallies${suffix}
       WHERE cause NOT IN ('late', 'outside-phase') AND ${among}`;
  return db
    .prepare(
      `SELECT environment, experiment, 0 AS rows FROM (
         SELECT environment, experiment, phase FROM (${units("", "")} UNION ALL ${units("_rebuild", "-")})
         GROUP BY environment, experiment, phase HAVING sum(n) > 0)
       GROUP BY environment, experiment`,
    )
    .bind(list);
}
