/** The body of a metric, as people write it (`POST /api/v1/metrics`) and as CONTROL keeps it. */

import * as z from "zod/mini";
import { limits } from "./limits.ts";
import { key, name } from "./fields.ts";

const event = z.string().check(z.minLength(1), z.maxLength(limits.eventNameLength));
const aggregation = z.enum(["any", "count", "sum", "max"]);
const positive = z.number().check(z.positive({ error: "Give a number above 0." }));

export const metricBody = z.strictObject({
  key,
  name: z.exactOptional(name),
  type: z.enum(["proportion", "mean", "ratio", "retention"], {
    error: "Use proportion, mean, ratio or retention.",
  }),
  event,
  /** Defaults: any for a proportion and retention, sum for a mean and a ratio. */
  aggregation: z.exactOptional(aggregation),
  denominator: z.exactOptional(
    z.strictObject({ event, aggregation: z._default(aggregation, "sum") }),
  ),
  /** The desired direction. */
  direction: z._default(z.enum(["increase", "decrease"]), "increase"),
  cap: z.exactOptional(positive),
  windowHours: z.exactOptional(positive.check(z.maximum(90 * 24))),
  returnDays: z.exactOptional(z.int().check(z.minimum(1), z.maximum(90))),
  covariate: z.exactOptional(
    z.strictObject({ lookbackDays: z._default(z.int().check(z.minimum(1), z.maximum(60)), 7) }),
  ),
});

export type MetricBody = z.output<typeof metricBody>;
