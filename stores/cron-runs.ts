/** When the cron last began and ended, in D1 CONTROL: what a run that died cannot tell, the next one can. */

import type { D1Database } from "@cloudflare/workers-types";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { cronRuns } from "../schema/control/tables.ts";

export interface CronRun {
  /** Epoch ms of the wall clock. */
  startedAtMs: number;
  /** Null: it has not come to its end. */
  finishedAtMs: number | null;
}

export type CronRunStore = ReturnType<typeof cronRunStore>;

export function cronRunStore(d1: D1Database) {
  const db = drizzle(d1);
  return {
    /** Notes the beginning of this run, and gives the one before it; null at the first. */
    async begin(startedAtMs: number): Promise<CronRun | null> {
      const run = { startedAtMs, finishedAtMs: null };
      const [before] = await db.batch([
        db.select().from(cronRuns).where(eq(cronRuns.id, 1)),
        db
          .insert(cronRuns)
          .values({ id: 1, ...run })
          .onConflictDoUpdate({ target: cronRuns.id, set: run }),
      ]);
      return before[0] ?? null;
    },

    async finish(finishedAtMs: number): Promise<void> {
      await db.update(cronRuns).set({ finishedAtMs }).where(eq(cronRuns.id, 1));
    },
  };
}
