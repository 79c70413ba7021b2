/**
 * Retention of the shards, once a day: what experiments counted that were archived long ago, their units, and old notes.
 * A bounded part of it a message; whatever a killed one has left is found again the next day.
 */

import type { RetireMessage } from "../../contracts/retire-message.ts";
import type { Names } from "../../counting/names.ts";
import type { CompiledPlan } from "../../counting/plan.ts";
import { isUnitRetired } from "../../counting/retired-units.ts";
import { experimentKey } from "../../stores/rebuild-store.ts";
import type { RebuildStore } from "../../stores/rebuild-store.ts";
import type { ShardRetention } from "../../stores/shard-retention.ts";

export interface RetireServices {
  shard: (index: number) => {
    retention: ShardRetention;
    rebuilds: Pick<RebuildStore, "environments">;
  };
  /** Experiments that were archived, and not changed since, before that ISO instant. */
  archivedBefore: (at: string) => Promise<{ environment: string; experiment: string }[]>;
  plan: (environment: string) => Promise<CompiledPlan>;
}

const dayMs = 24 * 3_600_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;
/** UTC; after the daily rebuilds have begun. */
const dailyHour = 4;
const counterDays = 30;
const rebuildDays = 90;
const pagesAStep = 50;
const removalsAStep = 20;

/** Throws on a number of days that is none: nothing may be removed by a typing error. */
export function planRetirements(shards: number, days: unknown, asOfMs: number): RetireMessage[] {
  const kept = days === undefined || days === 0 ? null : days;
  if (kept !== null && !(typeof kept === "number" && Number.isSafeInteger(kept) && kept > 0)) {
    throw new RangeError(
      "EXPERIMENT_RETENTION_DAYS must be a whole number of days, 0 to keep for good",
    );
  }
  const isTime =
    asOfMs % dayMs >= dailyHour * hourMs && asOfMs % dayMs < dailyHour * hourMs + minuteMs;
  if (!isTime) return [];
  return Array.from({ length: shards }, (_, shard) => ({
    v: 1 as const,
    task: "retire" as const,
    shard,
    asOfMs,
    days: kept,
    after: "",
  }));
}

/** The message to go on with; null at the end. */
export async function retire(
  services: RetireServices,
  message: RetireMessage,
): Promise<RetireMessage | null> {
  const { shard: index, asOfMs, days } = message;
  const { retention, rebuilds } = services.shard(index);
  if (message.after === "") {
    await retention.removeNotes({
      hour: Math.floor((asOfMs - counterDays * dayMs) / hourMs),
      ms: asOfMs - rebuildDays * dayMs,
    });
  }
  if (days === null) return null;
  const beforeMs = asOfMs - days * dayMs;
  const archived = await services.archivedBefore(new Date(beforeMs).toISOString());
  const retired = new Set(
    archived.map(({ environment, experiment }) => experimentKey(environment, experiment)),
  );
  const ages = new Map<string, number>();
  for (const environment of await rebuilds.environments()) {
    ages.set(environment, (await services.plan(environment)).outcomeAgeMs);
  }
  const isRetired = (environment: string, document: string, names: Names) => {
    const ageMs = ages.get(environment);
    if (ageMs === undefined) return false;
    return isUnitRetired(document, names, {
      isRetired: (experiment) => retired.has(experimentKey(environment, experiment)),
      beforeMs: Math.min(beforeMs, asOfMs - ageMs),
    });
  };

  let { after } = message;
  for (let page = 0; page < pagesAStep; page++) {
    const { next } = await retention.retireUnits(after, isRetired);
    if (next === null) return removeCounted(retention, archived, message);
    after = next;
  }
  return { ...message, after };
}

/** Last, because the environments of units are known by what their experiments counted. */
async function removeCounted(
  retention: ShardRetention,
  archived: readonly { environment: string; experiment: string }[],
  message: RetireMessage,
): Promise<RetireMessage | null> {
  for (let removal = 0; removal < removalsAStep; removal++) {
    if (!(await retention.removeExperiments(archived))) return null;
  }
  return message;
}
