/** Events as the queue messages, and the lines of raw objects, that they travel in. */

import { limits } from "../contracts/limits.ts";
import { packEvents } from "../counting/pack.ts";
import type { CountedEvent, Counts } from "../counting/types.ts";

export interface Sent {
  environment: string;
  version: number;
  receivedAtMs: number;
  events: readonly CountedEvent[];
  counts?: Counts;
}

export function messageTexts({ events, ...head }: Sent): string[] {
  const packing = { ...head, shards: 1, maxBytes: limits.queueMessageBytes };
  return [...packEvents(events, packing).values()].flat();
}
