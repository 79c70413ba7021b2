import type { MessageSendRequest, Queue } from "@cloudflare/workers-types";
import { expect, test } from "vitest";
import { limits } from "../contracts/limits.ts";
import { readEventMessage } from "../contracts/queue-message.ts";
import { shardOf } from "../counting/unit.ts";
import { bought, start } from "../test/checkout-events.ts";
import { eventQueue } from "./event-queue.ts";
import { numberedBindings } from "./numbered-bindings.ts";

type Batch = MessageSendRequest<string>[];

/** Queues that keep what they are sent, and say how many sends wait at once. */
function recorded(shards: number, refuse: (shard: number) => boolean = () => false) {
  const sent: Batch[][] = Array.from({ length: shards }, () => []);
  const waiting = { now: 0, most: 0 };
  const queues = sent.map((batches, shard) => ({
    sendBatch: async (batch: Iterable<MessageSendRequest<string>>) => {
      waiting.most = Math.max(waiting.most, ++waiting.now);
      await Promise.resolve();
      waiting.now--;
      if (refuse(shard)) throw new Error("Queue sendBatch failed: Too Many Requests");
      batches.push([...batch]);
    },
  })) as unknown as Queue<string>[];
  return { sent, waiting, queues };
}

const events = (count: number, note = "") =>
  Array.from({ length: count }, (_, i) =>
    bought(start, i, { unit: `u${i}`, properties: { note } }),
  );
const batch = { environment: "e", version: 3, receivedAtMs: start };

test("every event is in its shard's queue, in batches that Queues takes, six sends at once", async () => {
  const { sent, waiting, queues } = recorded(4);
  const many = events(12_000, "é".repeat(100));
  await eventQueue(queues).send({ ...batch, events: many });
  const units = sent.map((batches) =>
    batches.flat().flatMap(({ body, contentType }) => {
      expect(contentType).toBe("text");
      return readEventMessage(body).events;
    }),
  );
  for (const [shard, some] of units.entries()) {
    for (const unit of some) expect(shardOf("e", unit, 4)).toBe(shard);
  }
  expect(units.flat()).toHaveLength(12_000);
  expect(waiting.most).toBe(6);
  for (const messages of sent.flat()) {
    expect(messages.length).toBeLessThanOrEqual(limits.queueBatchMessages);
    const bytes = messages.reduce(
      (sum, { body }) => sum + new TextEncoder().encode(body).length,
      0,
    );
    expect(bytes).toBeLessThanOrEqual(limits.queueBatchBytes);
  }
});

test("a send rejects when a queue refuses", async () => {
  const { queues } = recorded(4, (shard) => shard === 2);
  await expect(eventQueue(queues).send({ ...batch, events: events(100) })).rejects.toThrow(
    "Too Many Requests",
  );
});

test("what a queue refused is counted with the next send of the environment, once", async () => {
  let down = true;
  const { sent, queues } = recorded(1, () => down);
  const queue = eventQueue(queues, "refused-events");
  for (const count of [3, 4]) {
    await expect(queue.send({ ...batch, events: events(count) })).rejects.toThrow("Too Many");
  }
  down = false;
  await queue.send({ ...batch, environment: "other", events: events(1) });
  await queue.send({ ...batch, events: events(1), counts: { "rejected:invalid-event": 1 } });
  await queue.send({ ...batch, events: events(1) });
  const counts = sent.flat(2).map(({ body }) => (JSON.parse(body) as { counts?: object }).counts);
  expect(counts).toEqual([
    undefined,
    { "rejected:invalid-event": 1, "refused-events": 7 },
    undefined,
  ]);
});

test("bindings are counted from 0 until one is missing", () => {
  const env = { EVENTS_0: "a", EVENTS_1: "b", EVENTS_10: "k", EVENTS_3: "d", OTHER: "x" };
  expect(numberedBindings(env, "EVENTS_")).toEqual(["a", "b"]);
});
