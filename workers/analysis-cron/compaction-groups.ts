/**
 * Which raw objects are compacted together: those in no group yet, and again the groups whose objects are still there
 * long after somebody was told to compact them. An object never changes its group.
 */

import type { RawObject } from "../../contracts/archive-keys.ts";
import type { CompactionPlan } from "../../contracts/compaction.ts";

/** An attempt should not last as long as this. */
const queueAgainMs = 15 * 60_000;
/** One group is read by one invocation together with up to nine others, which may make 10,000 requests. */
const objectsAGroup = 900;
/** Its files are in memory until they are written: see event-files.ts. */
const bytesAGroup = 8_000_000;

/** `present`: all raw objects that are there, or the first of them. `due`: groups to compact now. */
export function extendPlan(
  { groups }: CompactionPlan,
  present: readonly RawObject[],
  asOfMs: number,
): { plan: CompactionPlan; due: string[] } {
  const groupOf = new Map(groups.flatMap(({ id, objects }) => objects.map((each) => [each, id])));
  const unfinished = new Set(present.map(({ id }) => groupOf.get(id)));
  // The clock may have been turned back: then it is long ago, too.
  const isDue = ({ id, queuedAtMs }: CompactionPlan["groups"][number]) =>
    unfinished.has(id) && Math.abs(asOfMs - queuedAtMs) >= queueAgainMs;
  const again = groups.filter(isDue).map(({ id }) => id);
  const added = grouped(present.filter(({ id }) => !groupOf.has(id))).map((objects) => ({
    id: objects[0] ?? "",
    objects,
    queuedAtMs: asOfMs,
  }));
  const known = groups.map((group) => (isDue(group) ? { ...group, queuedAtMs: asOfMs } : group));
  return {
    plan: { v: 1, groups: [...known, ...added] },
    due: [...again, ...added.map(({ id }) => id)],
  };
}

function grouped(objects: readonly RawObject[]): string[][] {
  const groups: string[][] = [];
  let groupBytes = 0;
  for (const { id, bytes } of objects) {
    const last = groups.at(-1);
    if (last && last.length < objectsAGroup && groupBytes + bytes <= bytesAGroup) {
      last.push(id);
      groupBytes += bytes;
    } else {
      groups.push([id]);
      groupBytes = bytes;
    }
  }
  return groups;
}
