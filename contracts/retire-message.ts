/** A message of the queue ANALYSES: some of what a shard no longer needs is to be removed. */

import * as z from "zod/mini";

export const retireMessage = z.object({
  v: z.literal(1),
  task: z.literal("retire"),
  shard: z.number(),
  asOfMs: z.number(),
  /** How long what an archived experiment counted is kept; null for good. */
  days: z.nullable(z.number()),
  /** The unit to go on after, "" to begin. */
  after: z.string(),
});

export type RetireMessage = z.output<typeof retireMessage>;
