/**
 * R2 ARCHIVE, `raw/v1/`: every event as it was received, until it is compacted.
 * At least once: a batch that is delivered again is archived again, so readers take each identity once.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import { archiveKeys, dateAndHour } from "../contracts/archive-keys.ts";

export interface EventArchive {
  /** One gzip NDJSON object: a line a message, as it is (contracts/queue-message.ts). None when there are no messages. */
  keep(messages: readonly string[], shard: number, nowMs: number): Promise<void>;
}

export function eventArchive(bucket: R2Bucket): EventArchive {
  return {
    async keep(messages, shard, nowMs) {
      if (messages.length === 0) return;
      const id = uuid({ msecs: nowMs });
      await bucket.put(
        archiveKeys.raw({ ...dateAndHour(nowMs), shard, id }),
        await compressed(messages),
        { httpMetadata: { contentType: "application/gzip" } },
      );
    },
  };
}

/** One message at a time, so that a batch is never in memory a second time. */
async function compressed(messages: readonly string[]): Promise<ArrayBuffer> {
  const gzip = new CompressionStream("gzip");
  const bytes = new Response(gzip.readable).arrayBuffer();
  const writer = gzip.writable.getWriter();
  const encoder = new TextEncoder();
  for (const message of messages) await writer.write(encoder.encode(`${message}\n`));
  await writer.close();
  return bytes;
}
