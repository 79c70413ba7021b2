/**
 * The keys of R2 ARCHIVE. `date` and `hour` are UTC and say when a batch was processed, not when its events happened:
 * an hour that is over gains nothing more, while an event may be told days late.
 */

/** Raw objects of one shard and one hour of processing. */
export interface ArchiveHour {
  /** YYYY-MM-DD */
  date: string;
  /** HH */
  hour: string;
  shard: number;
}

export interface RawKey extends ArchiveHour {
  /** UUIDv7: in the order of processing. */
  id: string;
}

export interface RawObject extends RawKey {
  /** Compressed. */
  bytes: number;
}

export const archivePrefixes = {
  raw: "raw/v1/",
  events: "events/v1/",
  compactions: "compaction/v1/",
  deadLetters: "dead-letter/v1/",
  replayedLetters: "replayed/v1/",
} as const;

const rawKeyForm =
  /^raw\/v1\/date=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\/shard=(\d+)\/([\da-f-]+)\.ndjson\.gz$/;

export const archiveKeys = {
  raw: ({ id, ...hour }: RawKey) => `${archivePrefixes.raw}${partition(hour)}${id}.ndjson.gz`,
  /** One Parquet file: a part of what one group of raw objects holds of one environment. */
  events: (environment: string, hour: ArchiveHour, group: string, part: number) =>
    `${archivePrefixes.events}environment=${encodeURIComponent(environment)}/${partition(hour)}${group}-${part}.parquet`,
  /** Which raw objects of the hour are compacted together. */
  plan: (hour: ArchiveHour) => `${archivePrefixes.compactions}${partition(hour)}plan.json`,
  /** What a group of them became; its existence says that all of its files are there. */
  manifest: (hour: ArchiveHour, group: string) =>
    `${archivePrefixes.compactions}${partition(hour)}${group}.json`,
} as const;

/** Null: not a raw object that the consumer named. */
export function parseRawKey(key: string): RawKey | null {
  const [, date, hour, shard, id] = rawKeyForm.exec(key) ?? [];
  if (date === undefined || hour === undefined || shard === undefined || id === undefined)
    return null;
  return { date, hour, shard: Number(shard), id };
}

/** Of UTC, as the keys have them. */
export function dateAndHour(timeMs: number): { date: string; hour: string } {
  const iso = new Date(timeMs).toISOString();
  return { date: iso.slice(0, 10), hour: iso.slice(11, 13) };
}

function partition({ date, hour, shard }: ArchiveHour): string {
  return `date=${date}/hour=${hour}/shard=${shard}/`;
}
