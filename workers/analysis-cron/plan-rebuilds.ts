/**
 * Which shards take a step of a rebuild: every shard begins one a day, and one when a metric was added to what runs;
 * one that stands still is told to go on.
 */

import type { RebuildMessage } from "../../contracts/rebuild-message.ts";
import { rebuildableFromMs } from "../../control/counted-metrics.ts";
import type { AddedMetric } from "../../stores/added-metrics.ts";
import type { RebuildStore } from "../../stores/rebuild-store.ts";

/** UTC, when few people look. */
const dailyHour = 3;
const hourMs = 3_600_000;
const minuteMs = 60_000;
/** A step should not last as long as this. */
const queueAgainMs = 15 * minuteMs;

export interface RebuildInputs {
  added: readonly AddedMetric[];
  asOfMs: number;
  nowMs: number;
  newId: () => string;
}

export async function planRebuilds(
  shards: readonly Pick<RebuildStore, "last" | "request" | "step">[],
  { added, asOfMs, nowMs, newId }: RebuildInputs,
): Promise<RebuildMessage[]> {
  const isDaily = new Date(asOfMs).getUTCHours() === dailyHour;
  const wantedFromMs = Math.max(
    ...added.map(({ addedAtMs }) => rebuildableFromMs(addedAtMs)).filter((ms) => ms <= asOfMs),
  );
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
      else if ((last?.requestedAtMs ?? -Infinity) < wantedFromMs) {
        await rebuilds.request(newId(), "a metric was added", asOfMs);
      }
      return [];
    }),
  );
  return planned.flat();
}
