/**
 * The health report, from what queues, shards and archive say at one moment.
 * Exact: newest times, tallies, dead letters. At least once: counts by name. As near as the platform tells: backlogs.
 */

import * as z from "zod/mini";
import type { Counts } from "../../counting/types.ts";
import type { DeadLetterPage } from "../../stores/dead-letter-store.ts";
import { rebuildResult } from "../../stores/rebuild-difference.ts";
import type { QueueBacklog } from "../../stores/queue-backlog.ts";
import type { ShardHealth } from "../../stores/shard-health.ts";

export interface Observations {
  nowMs: number;
  /** One entry a shard, null where it cannot be told. */
  backlogs: readonly (QueueBacklog | null)[];
  shards: readonly (ShardHealth | null)[];
  /** The oldest ones, of every environment; null when R2 failed. */
  deadLetters: DeadLetterPage | null;
}

/** An event is in the results within five minutes; what waits longer is an alarm. */
const lagAlarmMs = 5 * 60_000;
/** Over which counts are added up. */
export const countedHours = 24;
const rejectedPrefix = "rejected:";

export function reportOf({ nowMs, backlogs, shards, deadLetters }: Observations) {
  const counts = sumOf(shards.map((shard) => shard?.counts ?? {}));
  const rejected = Object.entries(counts).filter(([name]) => name.startsWith(rejectedPrefix));
  const reports = shards.map((shard, index) => shardReport(shard, backlogs[index] ?? null, nowMs));
  const alarms = reports.flatMap((report, shard) =>
    alarmsOf(report).map((alarm) => ({ shard, ...alarm })),
  );
  const oldest = deadLetters?.letters[0];
  return {
    status: alarms.length === 0 ? "ok" : "alarm",
    asOf: isoOf(nowMs),
    alarms,
    intake: {
      hours: countedHours,
      foldedEvents: counts["folded-events"] ?? 0,
      rejected: Object.fromEntries(
        rejected.map(([name, n]) => [name.slice(rejectedPrefix.length), n]),
      ),
      refusedEvents: counts["refused-events"] ?? 0,
      droppedExposures: counts["dropped-exposures"] ?? 0,
    },
    deadLetters: deadLetters && {
      count: deadLetters.letters.length,
      /** There are more than were counted. */
      isMore: deadLetters.next !== null,
      oldestAgeSeconds: oldest === undefined ? null : secondsSince(oldest.putAsideAtMs, nowMs),
    },
    shards: reports,
  };
}

type ShardReport = ReturnType<typeof shardReport>;

function shardReport(shard: ShardHealth | null, backlog: QueueBacklog | null, nowMs: number) {
  const { progress = null, tallies = {}, rebuild = null } = shard ?? {};
  const oldestAtMs = backlog?.oldestAtMs ?? null;
  return {
    available: shard !== null,
    backlog: backlog && {
      messages: backlog.messages,
      bytes: backlog.bytes,
      oldestAgeSeconds: oldestAtMs === null ? null : secondsSince(oldestAtMs, nowMs),
    },
    // 0: nothing but counts has come.
    newestEventAt:
      progress === null || progress.newestEventMs === 0 ? null : isoOf(progress.newestEventMs),
    newestReceivedAt: progress && isoOf(progress.newestReceivedMs),
    foldedAt: progress && isoOf(progress.foldedAtMs),
    quarantinedUnits: tallies["quarantined"] ?? 0,
    botUnits: (tallies["bot"] ?? 0) + (tallies["hot"] ?? 0),
    unitsOutsidePhases: tallies["outside-phase"] ?? 0,
    lateEvents: tallies["late"] ?? 0,
    rebuild: rebuild && {
      id: rebuild.id,
      reason: rebuild.reason,
      status: rebuild.status,
      requestedAt: isoOf(rebuild.requestedAtMs),
      steppedAt: isoOf(rebuild.steppedAtMs),
      events: rebuild.events,
      difference:
        rebuild.difference === null ? null : z.parse(rebuildResult, JSON.parse(rebuild.difference)),
    },
  };
}

interface Alarm {
  code: "fold-lag" | "backlog-unknown" | "shard-unavailable" | "rebuild-blocked";
  detail: string;
}

function alarmsOf({ available, backlog, rebuild }: ShardReport): Alarm[] {
  const alarms: Alarm[] = [];
  if (!available) {
    alarms.push({ code: "shard-unavailable", detail: "The shard's database cannot be read." });
  }
  if (backlog === null) {
    alarms.push({ code: "backlog-unknown", detail: "The queue does not tell its backlog." });
  }
  const ageSeconds = backlog?.oldestAgeSeconds ?? 0;
  if (ageSeconds * 1_000 > lagAlarmMs) {
    const detail = `The oldest message has not been counted for ${ageSeconds} s.`;
    alarms.push({ code: "fold-lag", detail });
  }
  const { rows = 0, incomplete = [] } = rebuild?.difference ?? {};
  const [first] = incomplete;
  if (first && rows > 0) {
    const others = incomplete.length > 1 ? ` and ${incomplete.length - 1} more` : "";
    const detail = `The last rebuild replaced nothing: the archive no longer has every unit of ${first.experiment} in environment ${first.environment}${others}. Archive the experiment to let the shard be rebuilt.`;
    alarms.push({ code: "rebuild-blocked", detail });
  }
  return alarms;
}

function sumOf(all: readonly Counts[]): Counts {
  const sums: Counts = {};
  for (const [name, n] of all.flatMap((each) => Object.entries(each))) {
    sums[name] = (sums[name] ?? 0) + n;
  }
  return sums;
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function secondsSince(timeMs: number, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - timeMs) / 1_000));
}
