/**
 * R2 ARCHIVE, what is old: every part of it lies under `{prefix}date=…`, so the oldest objects are the first that a list gives.
 * A step removes a bounded number; what it leaves is found by the next.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import { archivePrefixes } from "../contracts/archive-keys.ts";
import { limits } from "../contracts/limits.ts";
import type { Paging } from "./raw-archive.ts";
import { removeObjects } from "./remove-objects.ts";

export interface ArchiveRetention {
  /** What lies under `events/v1/`: a prefix an environment. */
  eventPrefixes(): Promise<string[]>;
  /** Removes objects of days before `date`; true when there are more of them. */
  removeBefore(prefix: string, date: string): Promise<boolean>;
}

export function archiveRetention(
  bucket: R2Bucket,
  { pages, keysAPage }: Paging = { pages: 5, keysAPage: limits.r2Keys },
): ArchiveRetention {
  return {
    async eventPrefixes() {
      const prefixes: string[] = [];
      let cursor: string | undefined;
      do {
        const listed = await bucket.list({
          prefix: archivePrefixes.events,
          delimiter: "/",
          limit: keysAPage,
          ...(cursor !== undefined && { cursor }),
        });
        prefixes.push(...listed.delimitedPrefixes);
        cursor = listed.truncated ? listed.cursor : undefined;
      } while (cursor !== undefined);
      return prefixes;
    },

    async removeBefore(prefix, date) {
      const end = `${prefix}date=${date}/`;
      for (let page = 0; page < pages; page++) {
        const { objects, truncated } = await bucket.list({ prefix, limit: keysAPage });
        const old = objects.map(({ key }) => key).filter((key) => key < end);
        await removeObjects(bucket, old);
        if (!truncated || old.length < objects.length) return false;
      }
      return true;
    },
  };
}
