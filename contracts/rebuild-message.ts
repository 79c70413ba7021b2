/** A message of the queue ANALYSES: the next step of a rebuild of a shard, wherever it stands. */

import * as z from "zod/mini";

export const rebuildMessage = z.object({
  v: z.literal(1),
  task: z.literal("rebuild"),
  shard: z.number(),
  /** Of the rebuild: a message of another one does nothing. */
  id: z.string(),
});

export type RebuildMessage = z.output<typeof rebuildMessage>;
