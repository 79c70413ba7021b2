/** Experiments with a schedule that are not finished, in D1 CONTROL: what the cron looks through for steps that are due. */

import type { D1Database } from "@cloudflare/workers-types";
import { and, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import { experiments } from "../schema/control/tables.ts";

export type ScheduledExperiment = Pick<ExperimentRecord, "key" | "status" | "body"> & {
  environment: string;
};

export async function scheduledExperiments(d1: D1Database): Promise<ScheduledExperiment[]> {
  const rows = await drizzle(d1)
    .select({
      environment: experiments.environmentId,
      key: experiments.key,
      status: experiments.status,
      body: experiments.body,
    })
    .from(experiments)
    .where(
      and(
        inArray(experiments.status, ["draft", "running", "paused"]),
        sql`json_extract(${experiments.body}, '$.schedule') is not null`,
      ),
    );
  return rows.map(({ body, ...row }) => ({
    ...row,
    body: z.parse(experimentBody, JSON.parse(body)),
  }));
}
