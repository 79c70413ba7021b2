/**
 * What one shard has counted: the input of every analysis, once the rows of all shards are put together.
 * A shard answers with what its last batch left; between shards there is no common instant.
 */

import type { D1Database } from "@cloudflare/workers-types";
import type { CellRow, CohortRows, PopulationRow } from "../counting/aggregate.ts";

export interface Tally {
  /** 0 stands for outside every phase. */
  phase: number;
  /** See TallyDelta in counting/. */
  cause: string;
  detail: string;
  n: number;
}

export interface Activity {
  environment: string;
  experiment: string;
  /** The shard's version at the last change of this experiment. */
  version: number;
  lastEventMs: number;
}

export interface ShardReader {
  /** Unordered; a cohort may have several rows. */
  readCells(environment: string, experiment: string, phase: number): Promise<CohortRows>;
  readTallies(environment: string, experiment: string): Promise<Tally[]>;
  /** Of one experiment, or of every one that ever had an event. */
  readActivity(environment?: string, experiment?: string): Promise<Activity[]>;
}

const cohort =
  "variant, dimension, value, cohort_start AS cohortStart, cohort_hours AS cohortHours";
const ofPhase = "WHERE environment = ?1 AND experiment = ?2 AND phase = ?3";

export function shardReader(db: D1Database): ShardReader {
  return {
    async readCells(environment, experiment, phase) {
      const of = [environment, experiment, phase];
      const [populations, cells] = await Promise.all([
        db
          .prepare(`SELECT ${cohort}, n FROM populations ${ofPhase}`)
          .bind(...of)
          .all<PopulationRow>(),
        db
          .prepare(`SELECT ${cohort}, metric, y, yy, d, dd, yd, x, xx, xy FROM cells ${ofPhase}`)
          .bind(...of)
          .all<CellRow>(),
      ]);
      return { populations: populations.results, cells: cells.results };
    },

    async readTallies(environment, experiment) {
      const { results } = await db
        .prepare(
          `SELECT phase, cause, detail, n FROM tallies
           WHERE environment = ?1 AND experiment = ?2 AND n <> 0`,
        )
        .bind(environment, experiment)
        .all<Tally>();
      return results;
    },

    async readActivity(environment, experiment) {
      const { results } = await db
        .prepare(
          `SELECT environment, experiment, version, last_event_ms AS lastEventMs FROM activity
           WHERE (?1 IS NULL OR environment = ?1) AND (?2 IS NULL OR experiment = ?2)`,
        )
        .bind(environment ?? null, experiment ?? null)
        .all<Activity>();
      return results;
    },
  };
}
