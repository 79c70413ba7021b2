/**
 * R2 ARCHIVE, `raw/v1/`: what the consumers wrote, read back and in the end removed by whoever has put it elsewhere.
 * R2 is strongly consistent: an object that is not found has been removed.
 */

import type { R2Bucket, R2ObjectBody } from "@cloudflare/workers-types";
import { archiveKeys, archivePrefixes, parseRawKey } from "../contracts/archive-keys.ts";
import type { ArchiveHour, RawObject } from "../contracts/archive-keys.ts";
import { limits } from "../contracts/limits.ts";
import { removeObjects } from "./remove-objects.ts";

export interface RawArchive {
  /** Objects of the hours before `hour` of `date`, in the order of their keys; the first few thousand when there are more. */
  before(date: string, hour: string): Promise<RawObject[]>;
  /** Lines of these objects in this order, some at a time; throws RawObjectGone when one is not there. */
  lines(hour: ArchiveHour, ids: readonly string[]): AsyncGenerator<string[]>;
  /** Removing what is gone is no error. */
  remove(hour: ArchiveHour, ids: readonly string[]): Promise<void>;
}

/** Somebody else has removed it. */
export class RawObjectGone extends Error {}

export interface Paging {
  pages: number;
  keysAPage: number;
}

/** Of the connections that may wait at once in one invocation. */
const readsAhead = 4;

export function rawArchive(
  bucket: R2Bucket,
  { pages, keysAPage }: Paging = { pages: 5, keysAPage: limits.r2Keys },
): RawArchive {
  async function open(key: string): Promise<R2ObjectBody> {
    const object = await bucket.get(key);
    if (object === null) throw new RawObjectGone(key);
    return object;
  }

  return {
    async before(date, hour) {
      const end = `${archivePrefixes.raw}date=${date}/hour=${hour}/`;
      const prefix = archivePrefixes.raw;
      // Most of the time there is nothing to do, and one key tells so.
      const [oldest] = (await bucket.list({ prefix, limit: 1 })).objects;
      if (oldest === undefined || oldest.key >= end) return [];
      const found: RawObject[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < pages; page++) {
        const listed = await bucket.list({
          prefix,
          limit: keysAPage,
          ...(cursor !== undefined && { cursor }),
        });
        for (const { key, size } of listed.objects) {
          const parsed = key < end ? parseRawKey(key) : null;
          if (parsed !== null) found.push({ ...parsed, bytes: size });
        }
        if (!listed.truncated || (listed.objects.at(-1)?.key ?? "") >= end) break;
        cursor = listed.cursor;
      }
      return found;
    },

    async *lines(hour, ids) {
      const keys = ids.map((id) => archiveKeys.raw({ ...hour, id }));
      for await (const object of readAhead(keys, open)) yield* linesOf(object);
    },

    async remove(hour, ids) {
      await removeObjects(
        bucket,
        ids.map((id) => archiveKeys.raw({ ...hour, id })),
      );
    },
  };
}

/** What `read` makes of each item, in order, a few of them under way. */
async function* readAhead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  for (let next = 0; next < items.length || underWay.length > 0;) {
    while (underWay.length < readsAhead && next < items.length) {
      const reading = items.slice(next, ++next).map(read);
      // One that fails while an earlier one is awaited is told when its turn comes.
      for (const each of reading) each.catch(() => {});
      underWay.push(...reading);
    }
    const first = underWay.shift();
    if (first !== undefined) yield await first;
  }
}

async function* linesOf(object: R2ObjectBody): AsyncGenerator<string[]> {
  const text = object.body
    .pipeThrough(new DecompressionStream("gzip"))
    .pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
  let unfinished = "";
  for await (const chunk of text) {
    const lines = (unfinished + chunk).split("\n");
    unfinished = lines.pop() ?? "";
    if (lines.length > 0) yield lines;
  }
  if (unfinished !== "") yield [unfinished];
}
