/** D1 CONTROL: which experiments were given a metric after they had started, as the last change left it. */

import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod/mini";

const row = z.object({ environment: z.string(), experiment: z.string(), addedAtMs: z.number() });

export type AddedMetric = z.output<typeof row>;

/** One an experiment that is counted: when the last of its metrics was added. */
export async function addedMetrics(control: D1Database): Promise<AddedMetric[]> {
  const { results } = await control
    .prepare(
      `SELECT environment_id AS environment, experiments.key AS experiment, max(json_extract(metric.value, '$.addedAtMs')) AS addedAtMs
       FROM experiments, json_each(phases) AS phase, json_each(phase.value, '$.metrics') AS metric
       WHERE status IN ('running', 'paused', 'completed') AND instr(phases, '"addedAtMs"') AND json_extract(metric.value, '$.addedAtMs') IS NOT NULL
       GROUP BY environment_id, experiments.key`,
    )
    .all();
  return z.parse(z.array(row), results);
}
