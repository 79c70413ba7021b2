/**
 * What the shards have counted: the input of every analysis. One experiment is read from a shard in one transaction, so that units and
 * their sums belong together; between shards there is no common instant.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, eq, max, ne, sql } from "drizzle-orm";
import type { AnyColumn } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { CellRow, PopulationRow } from "../counting/aggregate.ts";
import { activity, cells, populations, rebuilds, tallies } from "../schema/metrics/tables.ts";

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

/** Of a rebuild: it found what had been counted, or replaced it. */
const leftNothingOut = sql`json_extract(${rebuilds.difference}, '$.rows') = 0 or json_extract(${rebuilds.difference}, '$.swapped')`;

export function cellStore(databases: readonly D1Database[]): CellStore {
  const shards = databases.map((database) => drizzle(database));

  async function readMany(
    environment: string,
    phases: readonly CountedOf[],
  ): Promise<ReadonlyMap<string, ShardFigures[]>> {
    const pairs = JSON.stringify(phases.map(({ experiment, phase }) => [experiment, phase]));
    type Table = typeof activity | typeof populations | typeof cells | typeof tallies;
    const ofExperiments = (table: Table) =>
      and(
        eq(table.environment, environment),
        sql`${table.experiment} in (select value ->> 0 from json_each(${pairs}))`,
      );
    const ofPhases = (table: typeof populations | typeof cells) =>
      and(
        eq(table.environment, environment),
        sql`(${table.experiment}, ${table.phase}) in (select value ->> 0, value ->> 1 from json_each(${pairs}))`,
      );
    const allUnits = (table: typeof populations | typeof cells) =>
      and(ofPhases(table), eq(table.dimension, ""));
    const byDimension = (table: typeof populations | typeof cells) =>
      and(ofPhases(table), ne(table.dimension, ""));
    const read = await Promise.all(
      shards.map(async (shard) => {
        const [
          activityRows,
          populationRows,
          dimensionPopulations,
          cellRows,
          dimensionCells,
          tallyRows,
          rebuilt,
        ] = await shard.batch([
          shard.select().from(activity).where(ofExperiments(activity)),
          shard.select(populationColumns).from(populations).where(allUnits(populations)),
          shard
            .select({ ...placeOf(populations), n: total(populations.n) })
            .from(populations)
            .where(byDimension(populations))
            .groupBy(
              populations.experiment,
              populations.variant,
              populations.dimension,
              populations.value,
            ),
          shard.select(cellColumns).from(cells).where(allUnits(cells)),
          shard
            .select({ ...placeOf(cells), metric: cells.metric, ...totals })
            .from(cells)
            .where(byDimension(cells))
            .groupBy(cells.experiment, cells.metric, cells.variant, cells.dimension, cells.value),
          shard.select().from(tallies).where(ofExperiments(tallies)),
          shard
            .select({ atMs: max(rebuilds.requestedAtMs) })
            .from(rebuilds)
            .where(leftNothingOut),
        ]);
        const activityOf = byExperiment(activityRows);
        const populationsOf = byExperiment([...populationRows, ...dimensionPopulations]);
        const cellsOf = byExperiment([...cellRows, ...dimensionCells]);
        const talliesOf = byExperiment(tallyRows);
        return (experiment: string): ShardFigures => ({
          activity: activityOf(experiment)[0] ?? null,
          populations: populationsOf(experiment),
          cells: cellsOf(experiment),
          tallies: talliesOf(experiment),
          rebuiltAtMs: rebuilt[0]?.atMs ?? null,
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
      return await Promise.all(shards.map((shard) => shard.select().from(activity)));
    },
  };
}

function byExperiment<Row extends { experiment: string }>(
  rows: readonly Row[],
): (experiment: string) => Row[] {
  const grouped = Map.groupBy(rows, ({ experiment }) => experiment);
  return (experiment) => grouped.get(experiment) ?? [];
}

const cohortColumns = (table: typeof populations | typeof cells) => ({
  experiment: table.experiment,
  variant: table.variant,
  dimension: table.dimension,
  value: table.value,
  cohortStart: table.cohortStart,
  cohortHours: table.cohortHours,
});
const populationColumns = { ...cohortColumns(populations), n: populations.n };
const cellColumns = {
  ...cohortColumns(cells),
  metric: cells.metric,
  y: cells.y,
  yy: cells.yy,
  d: cells.d,
  dd: cells.dd,
  yd: cells.yd,
  x: cells.x,
  xx: cells.xx,
  xy: cells.xy,
};

const total = (column: AnyColumn) => sql<number>`sum(${column})`;

const totals = {
  y: total(cells.y),
  yy: total(cells.yy),
  d: total(cells.d),
  dd: total(cells.dd),
  yd: total(cells.yd),
  x: total(cells.x),
  xx: total(cells.xx),
  xy: total(cells.xy),
};

/** A value of a dimension over all its cohorts: an analysis of a thousand hours would otherwise read each value a thousand times. */
function placeOf({
  experiment,
  variant,
  dimension,
  value,
  cohortStart,
  cohortHours,
}: typeof populations | typeof cells) {
  return {
    experiment: sql<string>`${experiment}`,
    variant: sql<string>`${variant}`,
    dimension: sql<string>`${dimension}`,
    value: sql<string>`${value}`,
    cohortStart: sql<number>`min(${cohortStart})`,
    cohortHours: sql<number>`max(${cohortStart} + ${cohortHours}) - min(${cohortStart})`,
  };
}
