/** R2 ARCHIVE `compaction/v1/`: how the raw objects of an hour and shard are grouped, and what became of each group. */

import * as z from "zod/mini";

const compactionGroup = z.object({
  /** The id of its first raw object; a raw object is in one group alone, so no other group has it. */
  id: z.string(),
  /** Ids of raw objects, in the order in which they are read. */
  objects: z.array(z.string()),
  /** When it was last given to a consumer. */
  queuedAtMs: z.number(),
});

export const compactionPlan = z.object({ v: z.literal(1), groups: z.array(compactionGroup) });

export type CompactionPlan = z.output<typeof compactionPlan>;

/** Written for whoever audits the archive; Edgewise itself only asks whether it is there. */
export interface CompactionManifest {
  v: 1;
  /** Raw objects. */
  objects: number;
  rows: number;
  files: { key: string; rows: number; bytes: number }[];
}
