/** Experiments in D1 CONTROL that were archived, by the time of their last change: what retention asks for. */

import type { D1Database } from "@cloudflare/workers-types";
import { and, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { experiments } from "../schema/control/tables.ts";

/** `at`: ISO-8601. */
export async function archivedBefore(
  control: D1Database,
  at: string,
): Promise<{ environment: string; experiment: string }[]> {
  return await drizzle(control)
    .select({ environment: experiments.environmentId, experiment: experiments.key })
    .from(experiments)
    .where(and(eq(experiments.status, "archived"), lt(experiments.updatedAt, at)));
}
