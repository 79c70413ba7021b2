/**
 * Plans the compaction of the hours that are over, one hour and shard after the other. A plan is saved before anybody is told,
 * and only if nobody else has changed it meanwhile.
 */

import type { ArchiveHour } from "../../contracts/archive-keys.ts";
import { dateAndHour } from "../../contracts/archive-keys.ts";
import type { CompactMessage } from "../../contracts/analysis-message.ts";
import type { CompactionStore } from "../../stores/compaction-store.ts";
import type { RawArchive } from "../../stores/raw-archive.ts";
import { extendPlan } from "./compaction-groups.ts";

/** A batch that is late in reaching its object makes a group of its own. */
const graceMs = 5 * 60_000;

export async function planCompactions(
  raw: Pick<RawArchive, "before">,
  compactions: Pick<CompactionStore, "plan" | "savePlan">,
  asOfMs: number,
): Promise<CompactMessage[]> {
  const { date, hour } = dateAndHour(asOfMs - graceMs);
  const objects = await raw.before(date, hour);
  const messages: CompactMessage[] = [];
  for (const [, some] of Map.groupBy(
    objects,
    (each) => `${each.date} ${each.hour} ${each.shard}`,
  )) {
    const [first] = some;
    if (first === undefined) continue;
    const of: ArchiveHour = { date: first.date, hour: first.hour, shard: first.shard };
    const { plan, etag } = await compactions.plan(of);
    const extended = extendPlan(plan, some, asOfMs);
    if (extended.due.length === 0) continue;
    // Whoever was faster has told the consumers.
    if (!(await compactions.savePlan(of, extended.plan, etag))) continue;
    messages.push(
      ...extended.due.map((group) => ({ v: 1 as const, task: "compact" as const, ...of, group })),
    );
  }
  return messages;
}
