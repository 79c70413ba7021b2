/**
 * What the shards have counted: the input of every analysis. One experiment is read from a shard in one transaction, so that units and
 * their sums belong together; between shards there is no common instant.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, eq, max, sql } from "drizzle-orm";
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
  populations: PopulationRow[];
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
      return await Promise.all(
        shards.map(async (shard) => {
          const [activityRows, populationRows, cellRows, tallyRows, rebuilt] = await shard.batch([
            shard.select().from(activity).where(ofExperiment(activity)),
            shard.select().from(populations).where(ofPhase(populations)),
            shard.select().from(cells).where(ofPhase(cells)),
            shard.select().from(tallies).where(ofExperiment(tallies)),
            shard
              .select({ atMs: max(rebuilds.requestedAtMs) })
              .from(rebuilds)
              .where(leftNothingOut),
          ]);
          return {
            activity: activityRows[0] ?? null,
            populations: populationRows,
            cells: cellRows,
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
