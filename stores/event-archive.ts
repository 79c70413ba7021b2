/**
 * R2 ARCHIVE: every event as it was received, and every message that could not be read with the reason.
 * At least once: a batch that is delivered again is archived again, so readers take each identity once.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import type { EventMessage } from "../contracts/queue-message.ts";

interface DeadLetter {
  /** Why it could not be counted. */
  reason: string;
  queue: string;
  body: unknown;
}

export interface EventArchive {
  /** One gzip NDJSON object under `raw/v1/`: a line an event, with its message's environment, version and receivedAtMs. */
  keep(messages: readonly EventMessage[], shard: number, nowMs: number): Promise<void>;
  /** One JSON object under `dead-letter/v1/`. */
  putAside(letter: DeadLetter, nowMs: number): Promise<void>;
}

export function eventArchive(bucket: R2Bucket): EventArchive {
  return {
    async keep(messages, shard, nowMs) {
      const { date, hour } = partition(nowMs);
      const id = uuid({ msecs: nowMs });
      await bucket.put(
        `raw/v1/date=${date}/hour=${hour}/shard=${shard}/${id}.ndjson.gz`,
        await compressed(messages),
        { httpMetadata: { contentType: "application/gzip" } },
      );
    },

    async putAside({ reason, queue, body }, nowMs) {
      const { date } = partition(nowMs);
      await bucket.put(
        `dead-letter/v1/date=${date}/${uuid({ msecs: nowMs })}.json`,
        JSON.stringify({ v: 1, reason, queue, putAsideAtMs: nowMs, body }),
        { httpMetadata: { contentType: "application/json" } },
      );
    },
  };
}

function partition(nowMs: number): { date: string; hour: string } {
  const iso = new Date(nowMs).toISOString();
  return { date: iso.slice(0, 10), hour: iso.slice(11, 13) };
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
  return events
    .map((event) => `${JSON.stringify({ environment, version, receivedAtMs, ...event })}\n`)
    .join("");
}
