/**
 * Packs events into queue messages: JSON text of one environment and one shard each, as many events as fit.
 * The shape is contracts/queue-message.ts; whoever sends decides which queue is which shard.
 */

import { hash32 } from "../core/index.ts";
import { shardOf } from "./unit.ts";
import type { Counts, CountedEvent } from "./types.ts";
import { utf8Length } from "./utf8.ts";

export interface Packing {
  environment: string;
  /** The published version that the events were judged by. */
  version: number;
  receivedAtMs: number;
  shards: number;
  /** Of one message, in UTF-8. */
  maxBytes: number;
  /** Travel in one of the messages, and in one of their own when there are no events. */
  counts?: Counts;
}

/** Messages by shard, in the order of their events. Throws a RangeError on an event that fits no message. */
export function packEvents(
  events: readonly CountedEvent[],
  { environment, version, receivedAtMs, shards, maxBytes, counts = {} }: Packing,
): Map<number, string[]> {
  const head = `{"v":1,"environment":${JSON.stringify(environment)},"version":${version},"receivedAtMs":${receivedAtMs},"events":[`;
  const hasCounts = Object.keys(counts).length > 0;
  const countsText = hasCounts ? `],"counts":${JSON.stringify(counts)}}` : "]}";
  let tail = countsText;
  const room = maxBytes - utf8Length(head) - utf8Length(countsText);
  const open = new Map<number, { texts: string[]; bytes: number }>();
  const packed = new Map<number, string[]>();
  const close = (shard: number, texts: readonly string[]) => {
    const messages = packed.get(shard) ?? [];
    messages.push(head + texts.join(",") + tail);
    tail = "]}";
    packed.set(shard, messages);
  };

  for (const event of events) {
    const text = JSON.stringify(event);
    const bytes = utf8Length(text);
    if (bytes > room) throw new RangeError(`an event of ${bytes} bytes fits no message`);
    const shard = shardOf(environment, event, shards);
    const message = open.get(shard);
    if (message && message.bytes + 1 + bytes <= room) {
      message.texts.push(text);
      message.bytes += 1 + bytes;
    } else {
      if (message) close(shard, message.texts);
      open.set(shard, { texts: [text], bytes });
    }
  }
  for (const [shard, { texts }] of open) close(shard, texts);
  if (hasCounts && packed.size === 0) close(hash32(environment) % shards, []);
  return packed;
}
