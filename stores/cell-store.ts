/**
 * What the shards have counted: the input of every analysis. One experiment is read from a shard in one transaction, so that units and
 * their sums belong together; between shards there is no common instant. Written in SQL: mapping every row costs more than all that is computed from them.
 */

import type { D1Database, D1Result } from "@cloudflare/workers-types";
import { isRecord } from "../core/values.ts";
import type { CellRow, PopulationRow } from "../counting/aggregate.ts";
import {
  packedCellsSql,
  packedPopulationsSql,
  unpackedCells,
  unpackedPopulations,
} from "./packed-cells.ts";
import type { Packed } from "./packed-cells.ts";

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
  /** Of all units by cohort; of a value of a dimension by cohort, too, or one over all cohorts, from the first to the last. */
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
  /** How many the phase has: an answer's size goes by it. */
  metrics: number;
}

export interface CellStore {
  /** By experiment, one entry a shard: many in one transaction of each, each unpacked when it is asked for. */
  readMany(
    environment: string,
    phases: readonly CountedOf[],
  ): Promise<Pick<ReadonlyMap<string, ShardFigures[]>, "get">>;
  /** One entry a shard. */
  readFigures(environment: string, experiment: string, phase: number): Promise<ShardFigures[]>;
  /** One list a shard: every experiment that ever had an event there. */
  readActivity(): Promise<Activity[][]>;
}

/** More than anybody has. */
const anyMetrics = 1_000;

/** ?1: the environment, ?2: JSON of experiment, phase and how many metrics it has. */
const ofExperiments = "environment = ?1 AND experiment IN (SELECT value ->> 0 FROM json_each(?2))";

const allActivity =
  "SELECT environment, experiment, version, last_event_ms AS lastEventMs FROM activity";

const statements = {
  allActivity,
  activity: `${allActivity} WHERE ${ofExperiments}`,
  tallies: `SELECT experiment, phase, cause, detail, n FROM tallies WHERE ${ofExperiments}`,
  populations: packedPopulationsSql,
  cells: packedCellsSql,
  /** Of a rebuild that found what had been counted, or replaced it. */
  rebuilt: `SELECT max(requested_at_ms) AS atMs FROM rebuilds
    WHERE json_extract(difference, '$.rows') = 0 OR json_extract(difference, '$.swapped')`,
};

export function cellStore(databases: readonly D1Database[]): CellStore {
  async function readMany(
    environment: string,
    phases: readonly CountedOf[],
  ): ReturnType<CellStore["readMany"]> {
    const asked = JSON.stringify(
      phases.map(({ experiment, phase, metrics }) => [experiment, phase, metrics]),
    );
    const read = await Promise.all(
      databases.map(async (database) => {
        const bound = (sql: string) => database.prepare(sql).bind(environment, asked);
        const [activities, tallies, populations, cells, rebuilt] = await database.batch([
          bound(statements.activity),
          bound(statements.tallies),
          bound(statements.populations),
          bound(statements.cells),
          database.prepare(statements.rebuilt),
        ]);
        const activityOf = byExperiment(activities, isActivity);
        const talliesOf = byExperiment(tallies, isTally);
        const populationsOf = byExperiment(populations, isPacked);
        const cellsOf = byExperiment(cells, isPacked);
        const [last] = rowsOf(rebuilt, isRebuilt);
        return (experiment: string): ShardFigures => ({
          activity: activityOf(experiment)[0] ?? null,
          tallies: talliesOf(experiment),
          populations: populationsOf(experiment).flatMap(unpackedPopulations),
          cells: cellsOf(experiment).flatMap(unpackedCells),
          rebuiltAtMs: last?.atMs ?? null,
        });
      }),
    );
    return { get: (experiment) => read.map((figures) => figures(experiment)) };
  }

  return {
    readMany,

    async readFigures(environment, experiment, phase) {
      const one = { experiment, phase, metrics: anyMetrics };
      return (await readMany(environment, [one])).get(experiment) ?? [];
    },

    async readActivity() {
      return await Promise.all(
        databases.map(async (database) =>
          rowsOf(await database.prepare(statements.allActivity).all(), isActivity),
        ),
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

function has(row: unknown, texts: readonly string[], numbers: readonly string[]): boolean {
  return (
    isRecord(row) &&
    texts.every((name) => typeof row[name] === "string") &&
    numbers.every((name) => typeof row[name] === "number")
  );
}

function isPacked(row: unknown): row is Packed {
  return has(row, ["experiment", "entries"], []);
}

function isActivity(row: unknown): row is Activity {
  return has(row, ["environment", "experiment"], ["version", "lastEventMs"]);
}

function isTally(row: unknown): row is Tally & OfExperiment {
  return has(row, ["experiment", "cause", "detail"], ["phase", "n"]);
}

function isRebuilt(row: unknown): row is { atMs: number | null } {
  return isRecord(row) && "atMs" in row;
}
