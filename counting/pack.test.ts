import { expect, test } from "vitest";
import { readEventMessage } from "../contracts/queue-message.ts";
import { limits } from "../contracts/limits.ts";
import { packEvents } from "./pack.ts";
import type { CountedEvent } from "./types.ts";
import { shardOf } from "./unit.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

const outcome = (i: number): CountedEvent => ({
  type: "outcome",
  id: `id-${i}`,
  name: "purchase",
  kind: "user",
  unit: `u${i % 700}`,
  timeMs: 1_767_571_200_000 + i,
  source: "server",
  properties: { note: ["plain", "Grüße", "日本", "😀", '"\\\u001f'][i % 5] ?? "" },
});
const packing = {
  environment: "0197",
  version: 7,
  receivedAtMs: 1_767_571_200_000,
  shards: 4,
  maxBytes: limits.queueMessageBytes,
};

test("every event arrives once, in its unit's shard, in order, in messages of the contract", () => {
  const events = Array.from({ length: 5_000 }, (_, i) => outcome(i));
  const packed = packEvents(events, packing);
  const arrived = [...packed].flatMap(([shard, messages]) =>
    messages.flatMap((text) => {
      const message = readEventMessage(text);
      expect(message).toMatchObject({
        environment: "0197",
        version: 7,
        receivedAtMs: 1_767_571_200_000,
      });
      for (const event of message.events) expect(shardOf("0197", event, 4)).toBe(shard);
      return message.events;
    }),
  );
  expect(packed.size).toBe(4);
  const byId = (a: { timeMs: number }, b: { timeMs: number }) => a.timeMs - b.timeMs;
  expect(arrived.toSorted(byId)).toEqual(events);
});

test("messages are filled to the byte in UTF-8, and never beyond", () => {
  const events = Array.from({ length: 6_000 }, (_, i) => ({ ...outcome(i), unit: "u" }));
  const [messages = []] = [...packEvents(events, packing).values()];
  expect(messages.length).toBeGreaterThan(2);
  for (const [i, text] of messages.entries()) {
    expect(bytesOf(text)).toBeLessThanOrEqual(limits.queueMessageBytes);
    const next = messages[i + 1];
    if (next === undefined) continue;
    const [first] = readEventMessage(next).events;
    if (first === undefined) throw new Error("an empty message");
    const events = [...readEventMessage(text).events, first];
    const [both = ""] = [...packEvents(events, { ...packing, maxBytes: 1e6 }).values()].flat();
    expect(bytesOf(both)).toBeGreaterThan(limits.queueMessageBytes);
  }
  const [exact = ""] = messages;
  const count = readEventMessage(exact).events.length;
  const pack = (maxBytes: number) =>
    [...packEvents(events.slice(0, count), { ...packing, maxBytes }).values()].flat().length;
  expect(pack(bytesOf(exact))).toBe(1);
  expect(pack(bytesOf(exact) - 1)).toBe(2);
});

test("counts travel in exactly one message, within its bytes, and in one of their own without events", () => {
  const counts = { "rejected:invalid-event": 3 };
  const read = (events: CountedEvent[], maxBytes: number = limits.queueMessageBytes) =>
    [...packEvents(events, { ...packing, counts, maxBytes }).values()].flat().map((text) => {
      expect(bytesOf(text)).toBeLessThanOrEqual(maxBytes);
      return readEventMessage(text);
    });
  const events = Array.from({ length: 40 }, (_, i) => outcome(i));
  const messages = read(events, 400);
  expect(messages.length).toBeGreaterThan(8);
  expect(messages.map((message) => message.counts).filter((each) => each !== undefined)).toEqual([
    counts,
  ]);
  expect(messages.flatMap((message) => message.events)).toHaveLength(40);
  expect(read([])).toEqual([
    {
      environment: "0197",
      version: 7,
      receivedAtMs: packing.receivedAtMs,
      events: [],
      counts,
    },
  ]);
  expect(packEvents([], packing).size).toBe(0);
});

test("an event that fits no message is a RangeError", () => {
  expect(() => packEvents([outcome(1)], { ...packing, maxBytes: 150 })).toThrow(RangeError);
});

test("the shard of a unit never changes", () => {
  // Murmur3 x86 32-bit, seed 0, of "0197\x1fuser\x1f" + unit, mod 4: computed apart from hash32, in Python.
  const shards = ["a", "42", "日本", "u-1"].map((unit) =>
    shardOf("0197", { kind: "user", unit }, 4),
  );
  expect(shards).toEqual([2, 0, 1, 1]);
});
