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

export interface CellStore {
  /** One entry a shard. */
  readFigures(environment: string, experiment: string, phase: number): Promise<ShardFigures[]>;
  /** One list a shard: every experiment that ever had an event there. */
  readActivity(): Promise<Activity[][]>;
}

/** Of a rebuild: it found what had been counted, or replaced it. */
const leftNothingOut = sql`json_extract(${rebuilds.difference}, '$.rows') = 0 or json_extract(${rebuilds.difference}, '$.swapped')`;

export function cellStore(databases: readonly D1Database[]): CellStore {
  const shards = databases.map((database) => drizzle(database));
  return {
    async readFigures(environment, experiment, phase) {
      type Table = typeof activity | typeof populations | typeof cells | typeof tallies;
      const ofExperiment = (table: Table) =>
        and(eq(table.environment, environment), eq(table.experiment, experiment));
      const ofPhase = (table: typeof populations | typeof cells) =>
        and(ofExperiment(table), eq(table.phase, phase));
      const allUnits = (table: typeof populations | typeof cells) =>
        and(ofPhase(table), eq(table.dimension, ""));
      const byDimension = (table: typeof populations | typeof cells) =>
        and(ofPhase(table), ne(table.dimension, ""));
      return await Promise.all(
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
            shard.select().from(activity).where(ofExperiment(activity)),
            shard.select().from(populations).where(allUnits(populations)),
            shard
              .select({ ...placeOf(populations), n: total(populations.n) })
              .from(populations)
              .where(byDimension(populations))
              .groupBy(populations.variant, populations.dimension, populations.value),
            shard.select().from(cells).where(allUnits(cells)),
            shard
              .select({ ...placeOf(cells), metric: cells.metric, ...totals })
              .from(cells)
              .where(byDimension(cells))
              .groupBy(cells.metric, cells.variant, cells.dimension, cells.value),
            shard.select().from(tallies).where(ofExperiment(tallies)),
            shard
              .select({ atMs: max(rebuilds.requestedAtMs) })
              .from(rebuilds)
              .where(leftNothingOut),
          ]);
          return {
            activity: activityRows[0] ?? null,
            populations: [...populationRows, ...dimensionPopulations],
            cells: [...cellRows, ...dimensionCells],
            tallies: tallyRows,
            rebuiltAtMs: rebuilt[0]?.atMs ?? null,
          };
        }),
      );
    },

    async readActivity() {
      return await Promise.all(shards.map((shard) => shard.select().from(activity)));
    },
  };
}

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
  variant,
  dimension,
  value,
  cohortStart,
  cohortHours,
}: typeof populations | typeof cells) {
  return {
    variant: sql<string>`${variant}`,
    dimension: sql<string>`${dimension}`,
    value: sql<string>`${value}`,
    cohortStart: sql<number>`min(${cohortStart})`,
    cohortHours: sql<number>`max(${cohortStart} + ${cohortHours}) - min(${cohortStart})`,
  };
}
