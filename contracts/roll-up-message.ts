/** A message of the queue ANALYSES: cohorts of hours of a shard that are old become cohorts of days. */

import * as z from "zod/mini";

export const rollUpMessage = z.object({
  v: z.literal(1),
  task: z.literal("roll-up"),
  shard: z.number(),
  asOfMs: z.number(),
});

export type RollUpMessage = z.output<typeof rollUpMessage>;
