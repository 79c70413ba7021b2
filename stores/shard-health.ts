/** What a shard METRICS_s tells of itself for the health report: one transaction of small reads. */

import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import type { Counts } from "../counting/types.ts";

const progressRow = z.object({
  newestEventMs: z.number(),
  newestReceivedMs: z.number(),
  foldedAtMs: z.number(),
});
const countRow = z.object({ name: z.string(), n: z.number() });
const rebuildRow = z.object({
  id: z.string(),
  reason: z.string(),
  status: z.string(),
  requestedAtMs: z.number(),
  steppedAtMs: z.number(),
  events: z.number(),
  /** JSON of what it found; null until it is known. */
  difference: z.nullable(z.string()),
});

export interface ShardHealth {
  /** Null: the shard has never folded anything. */
  progress: z.output<typeof progressRow> | null;
  /** Of the environment, since the hour asked for. */
  counts: Counts;
  /** Of the environment's experiments, by cause: see TallyDelta. */
  tallies: Counts;
  /** The last one. */
  rebuild: z.output<typeof rebuildRow> | null;
}

/** One entry a shard; null where D1 failed. */
export async function shardHealths(
  databases: readonly D1Database[],
  environment: string,
  sinceHour: number,
): Promise<(ShardHealth | null)[]> {
  return await Promise.all(
    databases.map(async (db, shard) => {
      try {
        return await healthOf(db, environment, sinceHour);
      } catch (error) {
        console.error(JSON.stringify({ event: "shard-unavailable", shard, error: String(error) }));
        return null;
      }
    }),
  );
}

async function healthOf(
  db: D1Database,
  environment: string,
  sinceHour: number,
): Promise<ShardHealth> {
  const results = await db.batch([
    db.prepare(
      `SELECT newest_event_ms AS newestEventMs, newest_received_ms AS newestReceivedMs, folded_at_ms AS foldedAtMs
       FROM progress WHERE id = 1`,
    ),
    db
      .prepare(
        "SELECT name, sum(n) AS n FROM counters WHERE environment = ?1 AND hour >= ?2 GROUP BY name",
      )
      .bind(environment, sinceHour),
    db
      .prepare(
        "SELECT cause AS name, sum(n) AS n FROM tallies WHERE environment = ?1 GROUP BY cause",
      )
      .bind(environment),
    db.prepare(
      `SELECT id, reason, status, requested_at_ms AS requestedAtMs, stepped_at_ms AS steppedAtMs, events, difference
       FROM rebuilds ORDER BY id DESC LIMIT 1`,
    ),
  ]);
  const [progress, counters, tallies, rebuilds] = results.map((each): unknown => each.results);
  return {
    progress: z.parse(z.array(progressRow), progress)[0] ?? null,
    counts: countsOf(z.parse(z.array(countRow), counters)),
    tallies: countsOf(z.parse(z.array(countRow), tallies)),
    rebuild: z.parse(z.array(rebuildRow), rebuilds)[0] ?? null,
  };
}

function countsOf(rows: readonly z.output<typeof countRow>[]): Counts {
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}
