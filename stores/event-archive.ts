/**
 * R2 ARCHIVE, `raw/v1/`: every event as it was received, until it is compacted.
 * At least once: a batch that is delivered again is archived again, so readers take each identity once.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import { archiveKeys, dateAndHour } from "../contracts/archive-keys.ts";
import type { EventMessage } from "../contracts/queue-message.ts";

export interface EventArchive {
  /** One gzip NDJSON object: a line an event (contracts/archived-event.ts). None when there are no events. */
  keep(messages: readonly EventMessage[], shard: number, nowMs: number): Promise<void>;
}

export function eventArchive(bucket: R2Bucket): EventArchive {
  return {
    async keep(messages, shard, nowMs) {
      if (messages.every(({ events }) => events.length === 0)) return;
      const id = uuid({ msecs: nowMs });
      await bucket.put(
        archiveKeys.raw({ ...dateAndHour(nowMs), shard, id }),
        await compressed(messages),
        { httpMetadata: { contentType: "application/gzip" } },
      );
    },
  };
}

/** One message at a time, so that a batch is never in memory a second time as text. */
async function compressed(messages: readonly EventMessage[]): Promise<ArrayBuffer> {
  const gzip = new CompressionStream("gzip");
  const bytes = new Response(gzip.readable).arrayBuffer();
  const writer = gzip.writable.getWriter();
  const encoder = new TextEncoder();
  for (const message of messages) await writer.write(encoder.encode(linesOf(message)));
  await writer.close();
  return bytes;
}

function linesOf({ environment, version, receivedAtMs, events }: EventMessage): string {
  // The members of an event are put behind those of its message as text: objects of both would cost as much again.
  const head = JSON.stringify({ environment, version, receivedAtMs }).slice(0, -1);
  return events.map((event) => `${head},${JSON.stringify(event).slice(1)}\n`).join("");
}
