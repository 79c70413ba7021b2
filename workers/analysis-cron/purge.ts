/**
 * Retention of the archive and of notices: what is kept for so many days is removed afterwards, in bounded steps, of the archive whole days at a time.
 * Unset keeps for good.
 */

import { archivePrefixes, dateAndHour } from "../../contracts/archive-keys.ts";
import type { PurgeMessage, PurgeNoticesMessage } from "../../contracts/analysis-message.ts";
import type { ArchiveRetention } from "../../stores/archive-retention.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Days, as the worker's variables have them; 0 or unset keeps for good. */
export interface Retention {
  events: unknown;
  deadLetters: unknown;
  notices: unknown;
}

/**
 * In the first minute of each hour; a step that was missed is made up for by the next.
 * Throws a RangeError on what is no number of days: a mistake in the configuration must not remove anything.
 */
export async function planPurges(
  archive: Pick<ArchiveRetention, "eventPrefixes">,
  retention: Retention,
  asOfMs: number,
): Promise<(PurgeMessage | PurgeNoticesMessage)[]> {
  const eventDays = daysOf("ARCHIVE_RETENTION_DAYS", retention.events);
  const letterDays = daysOf("DEAD_LETTER_RETENTION_DAYS", retention.deadLetters);
  const noticeDays = daysOf("NOTICE_RETENTION_DAYS", retention.notices);
  if (asOfMs % hourMs >= minuteMs) return [];
  const { raw, compactions, deadLetters, replayedLetters } = archivePrefixes;
  const purges: (PurgeMessage | PurgeNoticesMessage)[] = [];
  const purge = (prefixes: readonly string[], days: number) => {
    const before = dateAndHour(asOfMs - days * dayMs).date;
    purges.push(...prefixes.map((prefix) => ({ v: 1, task: "purge", prefix, before }) as const));
  };
  if (eventDays > 0) purge([raw, ...(await archive.eventPrefixes()), compactions], eventDays);
  if (letterDays > 0) purge([deadLetters, replayedLetters], letterDays);
  if (noticeDays > 0) {
    const before = new Date(asOfMs - noticeDays * dayMs).toISOString();
    purges.push({ v: 1, task: "purge-notices", before });
  }
  return purges;
}

function daysOf(variable: string, days: unknown = 0): number {
  if (typeof days === "number" && Number.isSafeInteger(days) && days >= 0) return days;
  throw new RangeError(`${variable} must be a whole number of days, 0 to keep for good`);
}
