/**
 * What the shards have counted: the input of every analysis. One experiment is read from a shard in one transaction, so that units and
 * their sums belong together; between shards there is no common instant. Written in SQL: mapping every row costs more than all that is computed from them.
 */

import type { D1Database, D1Result } from "@cloudflare/workers-types";
import { drizzle } from "drizzle-orm/d1";
import type { CellRow, PopulationRow } from "../counting/aggregate.ts";
import { activity } from "../schema/metrics/tables.ts";

export interface Tally {
  phase: number;
  /** See TallyDelta. */
  cause: string;
  detail: string;
  n: number;
}

export interface Activity {
  environment: string;
  experiment: string;
  /** The shard's version at the last change; compare with the one seen before. */
  version: number;
  lastEventMs: number;
}

/** One experiment in one shard. */
export interface ShardFigures {
  /** Null: the shard has never had an event of the experiment. */
  activity: Activity | null;
  /** Of all units by cohort; of each value of a dimension one over all cohorts, from the first to the last. */
  populations: PopulationRow[];
  /** As `populations`. */
  cells: CellRow[];
  /** Of all phases; 0 stands for outside every phase. */
  tallies: Tally[];
  /** When the last rebuild was asked for that is done and left the shard as the archive has it; null: there was none. */
  rebuiltAtMs: number | null;
}

export interface CountedOf {
  experiment: string;
  phase: number;
}

export interface CellStore {
  /** By experiment, one entry a shard: many in one transaction of each. */
  readMany(
    environment: string,
    phases: readonly CountedOf[],
  ): Promise<ReadonlyMap<string, ShardFigures[]>>;
  /** One entry a shard. */
  readFigures(environment: string, experiment: string, phase: number): Promise<ShardFigures[]>;
  /** One list a shard: every experiment that ever had an event there. */
  readActivity(): Promise<Activity[][]>;
}

const place = "experiment, variant, dimension, value";
const sums = ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"];
const span =
  "min(cohort_start) AS cohortStart, max(cohort_start + cohort_hours) - min(cohort_start) AS cohortHours";
/**
 * All units by cohort, a value of a dimension over all its cohorts: an analysis of a thousand hours would otherwise read each value a thousand times.
 * In one pass, because rows that are read are billed.
 */
const byCohort = "CASE dimension WHEN '' THEN cohort_start || '+' || cohort_hours END";
/** ?1: the environment, ?2: JSON of pairs of experiment and phase. */
const ofPhases =
  "environment = ?1 AND (experiment, phase) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2))";
const ofExperiments = "environment = ?1 AND experiment IN (SELECT value ->> 0 FROM json_each(?2))";

const statements = {
  activity: `SELECT environment, experiment, version, last_event_ms AS lastEventMs FROM activity WHERE ${ofExperiments}`,
  tallies: `SELECT experiment, phase, cause, detail, n FROM tallies WHERE ${ofExperiments}`,
  populations: `SELECT ${place}, ${span}, sum(n) AS n FROM populations WHERE ${ofPhases}
    GROUP BY experiment, phase, dimension, value, variant, ${byCohort}`,
  cells: `SELECT ${place}, ${span}, metric, ${sums.map((sum) => `sum(${sum}) AS ${sum}`).join(", ")} FROM cells WHERE ${ofPhases}
    GROUP BY experiment, phase, metric, dimension, value, variant, ${byCohort}`,
  /** Of a rebuild that found what had been counted, or replaced it. */
  rebuilt: `SELECT max(requested_at_ms) AS atMs FROM rebuilds
    WHERE json_extract(difference, '$.rows') = 0 OR json_extract(difference, '$.swapped')`,
};

export function cellStore(databases: readonly D1Database[]): CellStore {
  async function readMany(
    environment: string,
    phases: readonly CountedOf[],
  ): Promise<ReadonlyMap<string, ShardFigures[]>> {
    const pairs = JSON.stringify(phases.map(({ experiment, phase }) => [experiment, phase]));
    const read = await Promise.all(
      databases.map(async (database) => {
        const bound = (sql: string) => database.prepare(sql).bind(environment, pairs);
        const [activities, tallies, populations, cells, rebuilt] = await database.batch([
          bound(statements.activity),
          bound(statements.tallies),
          bound(statements.populations),
          bound(statements.cells),
          database.prepare(statements.rebuilt),
        ]);
        const activityOf = byExperiment(activities, isActivity);
        const talliesOf = byExperiment(tallies, isTally);
        const populationsOf = byExperiment(populations, isPopulation);
        const cellsOf = byExperiment(cells, isCell);
        const [last] = rowsOf(rebuilt, isRebuilt);
        return (experiment: string): ShardFigures => ({
          activity: activityOf(experiment)[0] ?? null,
          tallies: talliesOf(experiment),
          populations: populationsOf(experiment),
          cells: cellsOf(experiment),
          rebuiltAtMs: last?.atMs ?? null,
        });
      }),
    );
    return new Map(
      phases.map(({ experiment }) => [experiment, read.map((figures) => figures(experiment))]),
    );
  }

  return {
    readMany,

    async readFigures(environment, experiment, phase) {
      return (await readMany(environment, [{ experiment, phase }])).get(experiment) ?? [];
    },

    async readActivity() {
      return await Promise.all(
        databases.map((database) => drizzle(database).select().from(activity)),
      );
    },
  };
}

interface OfExperiment {
  experiment: string;
}

function byExperiment<Row extends OfExperiment>(
  result: D1Result | undefined,
  isRow: (row: unknown) => row is Row,
): (experiment: string) => Row[] {
  const grouped = Map.groupBy(rowsOf(result, isRow), ({ experiment }) => experiment);
  return (experiment) => grouped.get(experiment) ?? [];
}

function rowsOf<Row>(result: D1Result | undefined, isRow: (row: unknown) => row is Row): Row[] {
  const rows = result?.results ?? [];
  if (!rows.every((row) => isRow(row))) throw new TypeError("a shard has a row of another shape");
  return rows;
}

/** By hand: there are hundreds of rows an experiment, and a schema costs more than reading them. */
function has(row: unknown, texts: readonly string[], numbers: readonly string[]): boolean {
  return (
    isRecord(row) &&
    texts.every((name) => typeof row[name] === "string") &&
    numbers.every((name) => typeof row[name] === "number")
  );
}

function isRecord(row: unknown): row is Record<string, unknown> {
  return typeof row === "object" && row !== null;
}

const cohortTexts = ["experiment", "variant", "dimension", "value"];
const populationNumbers = ["cohortStart", "cohortHours", "n"];
const cellTexts = [...cohortTexts, "metric"];
const cellNumbers = ["cohortStart", "cohortHours", ...sums];

function isPopulation(row: unknown): row is PopulationRow & OfExperiment {
  return has(row, cohortTexts, populationNumbers);
}

function isCell(row: unknown): row is CellRow & OfExperiment {
  return has(row, cellTexts, cellNumbers);
}

function isActivity(row: unknown): row is Activity {
  return has(row, ["environment", "experiment"], ["version", "lastEventMs"]);
}

function isTally(row: unknown): row is Tally & OfExperiment {
  return has(row, ["experiment", "cause", "detail"], ["phase", "n"]);
}

function isRebuilt(row: unknown): row is { atMs: number | null } {
  return typeof row === "object" && row !== null && "atMs" in row;
}
