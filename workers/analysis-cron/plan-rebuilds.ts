/** Which shards take a step of a rebuild: every shard begins one a day, and one that stands still is told to go on. */

import type { RebuildMessage } from "../../contracts/rebuild-message.ts";
import type { RebuildStore } from "../../stores/rebuild-store.ts";

/** UTC, when few people look. */
const dailyHour = 3;
const hourMs = 3_600_000;
const minuteMs = 60_000;
/** A step should not last as long as this. */
const queueAgainMs = 15 * minuteMs;

export async function planRebuilds(
  shards: readonly Pick<RebuildStore, "last" | "request" | "step">[],
  { asOfMs, nowMs, newId }: { asOfMs: number; nowMs: number; newId: () => string },
): Promise<RebuildMessage[]> {
  const isDaily = new Date(asOfMs).getUTCHours() === dailyHour;
  const planned = await Promise.all(
    shards.map(async (rebuilds, shard): Promise<RebuildMessage[]> => {
      const last = await rebuilds.last();
      if (last !== null && last.status !== "done") {
        const isDue = nowMs - last.steppedAtMs >= queueAgainMs;
        // Noted before it is queued, so that the next tick does not queue it again.
        const isMine = isDue && (await rebuilds.step(last, { status: last.status, nowMs }));
        return isMine ? [{ v: 1, task: "rebuild", shard, id: last.id }] : [];
      }
      const isDue = last === null || Math.abs(asOfMs - last.requestedAtMs) >= 20 * hourMs;
      // It is queued by the next tick, like one that somebody has asked for.
      if (isDaily && isDue) await rebuilds.request(newId(), "daily", asOfMs);
      return [];
    }),
  );
  return planned.flat();
}
