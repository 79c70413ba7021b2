/**
 * The queues EVENTS_0…n, one a shard: at least once, in no particular order.
 * `send` resolves when every event is in its queue; when it rejects, some may be, and sending all again is harmless.
 * Asked to, it counts in memory what was refused until a later send takes the count along: a hint, lost with the isolate.
 */

import type { MessageSendRequest, Queue } from "@cloudflare/workers-types";
import { limits } from "../contracts/limits.ts";
import { packEvents } from "../counting/pack.ts";
import type { Counts, CountedEvent } from "../counting/types.ts";
import { utf8Length } from "../counting/utf8.ts";

/** Connections that may wait at once in one invocation. */
const sendsAtOnce = 6;
/** Metadata that Queues counts with a message. */
const messageOverheadBytes = 100;

export interface SentEvents {
  environment: string;
  /** The published version that the events were judged by. */
  version: number;
  receivedAtMs: number;
  events: readonly CountedEvent[];
  counts?: Counts;
  /** Delivered no sooner. */
  delaySeconds?: number;
}

export interface EventQueue {
  send(sent: SentEvents): Promise<void>;
}

/** One per isolate. */
export function eventQueue(
  queues: readonly Queue<string>[],
  countedAs?: "refused-events",
): EventQueue {
  const unsent = new Map<string, number>();

  async function sendAll(sent: SentEvents) {
    const { environment, version, receivedAtMs, events, counts, delaySeconds = 0 } = sent;
    const packed = packEvents(events, {
      environment,
      version,
      receivedAtMs,
      shards: queues.length,
      maxBytes: limits.queueMessageBytes,
      ...(counts && { counts }),
    });
    const sends = [...packed].flatMap(([shard, messages]) =>
      batchesOf(messages).map(
        (batch) => async () => queues[shard]?.sendBatch(batch, { delaySeconds }),
      ),
    );
    const workers = Array.from({ length: sendsAtOnce }, async () => {
      for (let send = sends.shift(); send; send = sends.shift()) await send();
    });
    await Promise.all(workers);
  }

  if (countedAs === undefined) return { send: sendAll };
  return {
    async send(sent) {
      const { environment, events } = sent;
      const earlier = unsent.get(environment);
      unsent.delete(environment);
      try {
        await sendAll(
          earlier === undefined
            ? sent
            : { ...sent, counts: { ...sent.counts, [countedAs]: earlier } },
        );
      } catch (error) {
        const meanwhile = unsent.get(environment) ?? 0;
        unsent.set(environment, meanwhile + (earlier ?? 0) + events.length);
        throw error;
      }
    },
  };
}

/** As many messages as one `sendBatch` takes. */
function batchesOf(messages: readonly string[]): MessageSendRequest<string>[][] {
  // Mostly there is one, which needs no counting.
  if (messages.length === 1) return [messages.map(request)];
  const batches: MessageSendRequest<string>[][] = [];
  let batchBytes = 0;
  for (const body of messages) {
    const bytes = utf8Length(body) + messageOverheadBytes;
    const last = batches.at(-1);
    const message = request(body);
    if (
      last &&
      last.length < limits.queueBatchMessages &&
      batchBytes + bytes <= limits.queueBatchBytes
    ) {
      last.push(message);
      batchBytes += bytes;
    } else {
      batches.push([message]);
      batchBytes = bytes;
    }
  }
  return batches;
}

function request(body: string): MessageSendRequest<string> {
  return { body, contentType: "text" };
}
