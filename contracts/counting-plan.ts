/** KV `counting/{environmentId}`: what the ingest worker parses before it counts anything by it. */

import * as z from "zod/mini";
import type { CountedMetric, CountingPlan } from "../counting/types.ts";

const aggregation = z.enum(["any", "count", "sum", "max"]);

export const countedMetric = z.object({
  key: z.string(),
  type: z.enum(["proportion", "mean", "ratio", "retention"]),
  event: z.string(),
  aggregation,
  denominator: z.exactOptional(z.object({ event: z.string(), aggregation })),
  cap: z.exactOptional(z.number()),
  returnDays: z.exactOptional(z.number()),
  covariateLookbackDays: z.exactOptional(z.number()),
  windowMs: z.number(),
}) satisfies z.ZodMiniType<CountedMetric>;

export const countingPlan = z.object({
  formatVersion: z.literal(1),
  environment: z.string(),
  version: z.number(),
  outcomes: z.array(z.string()),
  experiments: z.array(
    z.object({
      key: z.string(),
      unit: z.string(),
      dimensions: z.array(z.string()),
      phases: z.array(
        z.object({
          phase: z.number(),
          variants: z.array(z.string()),
          running: z.array(z.tuple([z.number(), z.nullable(z.number())])),
          excludesEarlierPhases: z.boolean(),
          metrics: z.array(countedMetric),
        }),
      ),
    }),
  ),
}) satisfies z.ZodMiniType<CountingPlan>;
