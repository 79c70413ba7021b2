import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { configKeys } from "../../contracts/config-keys.ts";
import type { CountedEvent } from "../../counting/types.ts";
import { countingPlanStore } from "../../stores/counting-plan-store.ts";
import { deadLetterStore } from "../../stores/dead-letter-store.ts";
import { eventArchive } from "../../stores/event-archive.ts";
import { unitShard } from "../../stores/unit-shard.ts";
import { bought, exposed, planOf, start } from "../../test/checkout-events.ts";
import { messageTexts } from "../../test/message-texts.ts";
import { consume } from "./consume.ts";
import type { Consumer } from "./consume.ts";
import { putAllAside } from "./put-aside.ts";

const queue = "edgewise-events-0";

const consumer = (): Consumer => ({
  archive: eventArchive(env.ARCHIVE),
  letters: deadLetterStore(env.ARCHIVE),
  plans: countingPlanStore(env.CONFIG),
  shard: unitShard(env.METRICS_0),
  shardIndex: 0,
  nowMs: () => start + 60_000,
});

const text = (events: CountedEvent[], environment = "e", version = 1) =>
  messageTexts({ environment, version, receivedAtMs: start, events })[0] ?? "";

const publish = (environment: string, version: number) =>
  env.CONFIG.put(
    configKeys.counting(environment),
    JSON.stringify({ ...planOf(), environment, version }),
  );

/** What became of each body, in order: "ack" or the seconds until it comes again. */
async function deliver(bodies: unknown[], with_: Partial<Consumer> = {}, attempts = 1) {
  const messages = bodies.map((body, i) => ({
    id: String(i),
    timestamp: new Date(start),
    attempts,
    body,
  }));
  const batch = createMessageBatch(queue, messages);
  // The harness reports that a message is retried, but not when.
  const retries = batch.messages.map((message) => vi.spyOn(message, "retry"));
  await consume(batch, { ...consumer(), ...with_ });
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  return retries.map(({ mock }, i) =>
    explicitAcks.includes(String(i)) ? "ack" : mock.calls[0]?.[0]?.delaySeconds,
  );
}

const numbers = (table: string, column: string) => async (environment: string) =>
  env.METRICS_0.prepare(
    `SELECT sum(${column}) AS sum FROM ${table} WHERE environment = ?1 AND dimension = ''`,
  )
    .bind(environment)
    .first("sum");
const population = numbers("populations", "n");
const purchases = numbers("cells", "y");
const archived = async (prefix: string) => (await env.ARCHIVE.list({ prefix })).objects;
const down = () => Promise.reject(new Error("it is down"));

beforeEach(async () => {
  for (const { key } of (await env.ARCHIVE.list()).objects) await env.ARCHIVE.delete(key);
  const tables = ["units", "populations", "cells", "tallies", "activity"];
  await env.METRICS_0.batch(tables.map((table) => env.METRICS_0.prepare(`DELETE FROM ${table}`)));
  await env.CONFIG.delete(configKeys.counting("later"));
  await publish("e", 1);
});

describe("a batch", () => {
  test("is archived, folded and acknowledged; delivered again it changes nothing", async () => {
    const bodies = [text([exposed()]), text([bought(start + 1), bought(start + 2)])];
    expect(await deliver(bodies)).toEqual(["ack", "ack"]);
    expect(await deliver(bodies)).toEqual(["ack", "ack"]);
    expect([await population("e"), await purchases("e")]).toEqual([1, 1]);
    expect(await archived("raw/v1/date=2026-01-05/hour=00/shard=0/")).toHaveLength(2);
  });

  test("of several environments keeps them apart", async () => {
    await publish("f", 8);
    const both = [text([exposed(), bought(start)]), text([exposed()], "f", 8)];
    expect(await deliver(both)).toEqual(["ack", "ack"]);
    expect([await population("e"), await purchases("e")]).toEqual([1, 1]);
    expect([await population("f"), await purchases("f")]).toEqual([1, null]);
  });

  test("that only counts is counted without an object in the archive", async () => {
    const counts = { "dropped-exposures": 5 };
    const head = { environment: "e", version: 1, receivedAtMs: start };
    expect(await deliver(messageTexts({ ...head, events: [], counts }))).toEqual(["ack"]);
    expect(await archived("")).toEqual([]);
    const counter = env.METRICS_0.prepare("SELECT n FROM counters WHERE name = ?1");
    expect(await counter.bind("dropped-exposures").first("n")).toBe(5);
  });

  test("of a hundred messages is counted whole, in folds that fit memory", async () => {
    const attributes = { note: "x".repeat(100) };
    const bodies = Array.from({ length: 100 }, (_, i) =>
      text(Array.from({ length: 300 }, (_, j) => exposed({ unit: `u${i}-${j}`, attributes }))),
    );
    expect(new Set(await deliver(bodies))).toEqual(new Set(["ack"]));
    expect(await population("e")).toBe(30_000);
    expect(await archived("raw/v1/date=2026-01-05/hour=00/shard=0/")).toHaveLength(2);
  });

  test("whose second fold fails has the messages of the first acknowledged, and only the others come again", async () => {
    const attributes = { note: "x".repeat(3_900) };
    const bodies = Array.from({ length: 40 }, (_, i) =>
      text(Array.from({ length: 30 }, (_, j) => exposed({ unit: `u${i}-${j}`, attributes }))),
    );
    let characters = 0;
    const together = bodies.filter(({ length }) => (characters += length) <= 4_000_000).length;
    let folds = 0;
    const up = consumer().shard;
    const shard: Consumer["shard"] = {
      fold: (...given) => (++folds === 2 ? down() : up.fold(...given)),
    };
    const others = bodies.slice(together);
    expect(others.length).toBeGreaterThan(0);
    expect(await deliver(bodies, { shard })).toEqual(
      bodies.map((_, i) => (i < together ? "ack" : 2)),
    );
    expect(await population("e")).toBe(together * 30);
    expect(new Set(await deliver(others))).toEqual(new Set(["ack"]));
    expect(await population("e")).toBe(1_200);
  });
});

describe("a message that cannot be read", () => {
  const poison: [string, unknown][] = [
    ["no JSON", "{"],
    ["not text", { v: 1 }],
    ["of an unknown format", text([exposed()]).replace('"v":2', '"v":3')],
    ["of an earlier format", text([exposed()]).replace('"v":2', '"v":1')],
    ["with an event from nowhere", text([exposed()]).replace('"server"', '"nowhere"')],
    [
      "nested beyond reading",
      text([exposed({ attributes: { a: "deep" } })]).replace(
        '"deep"',
        `${"[".repeat(60_000)}${"]".repeat(60_000)}`,
      ),
    ],
  ];
  test.each(poison)(
    "(%s) is put aside with the reason, and its neighbours are counted",
    async (_, body) => {
      const bodies = [text([exposed()]), body, text([bought(start)])];
      expect(await deliver(bodies)).toEqual(["ack", "ack", "ack"]);
      expect([await population("e"), await purchases("e")]).toEqual([1, 1]);
      const [letter, ...more] = await archived("dead-letter/v1/date=2026-01-05/");
      expect(more).toEqual([]);
      const kept = await (await env.ARCHIVE.get(letter?.key ?? ""))?.json();
      expect(kept).toMatchObject({
        queue,
        body,
        reason: expect.stringMatching(/Error|\[/) as string,
      });
    },
  );

  test("comes again when it cannot be put aside", async () => {
    const letters = { putAside: down };
    expect(await deliver(["{", text([exposed()])], { letters })).toEqual([2, "ack"]);
  });
});

describe("when something fails, messages come again later and are counted once", () => {
  const bodies = [text([exposed(), bought(start)]), text([exposed({ unit: "u2" })])];
  const deliverAgain = async () => {
    const answers = await deliver(bodies);
    const letters = await archived("dead-letter/");
    return [answers, await population("e"), await purchases("e"), letters];
  };
  const countedOnce = [["ack", "ack"], 2, 1, []];

  test("D1, after the archive had them (a crash between the two looks the same)", async () => {
    expect(await deliver(bodies, { shard: { fold: down } }, 3)).toEqual([8, 8]);
    expect(await archived("raw/")).toHaveLength(1);
    expect(await deliverAgain()).toEqual(countedOnce);
  });

  test("the acknowledgement, after they were counted", async () => {
    const batch = createMessageBatch(
      queue,
      bodies.map((body, i) => ({ id: String(i), timestamp: new Date(start), attempts: 1, body })),
    );
    await consume(batch, consumer());
    expect(await deliverAgain()).toEqual(countedOnce);
  });

  test("R2: nothing is folded that is not archived", async () => {
    const archive = { ...eventArchive(env.ARCHIVE), keep: down };
    expect(await deliver(bodies, { archive })).toEqual([2, 2]);
    expect(await population("e")).toBe(null);
    expect(await deliverAgain()).toEqual(countedOnce);
  });

  test("KV, with no plan in memory", async () => {
    const plans = { get: down, getNewer: down };
    expect(await deliver(bodies, { plans }, 2)).toEqual([4, 4]);
    expect(await population("e")).toBe(null);
    expect(await deliverAgain()).toEqual(countedOnce);
  });

  test("at the last attempt that the queue allows, still without a dead letter", async () => {
    expect(await deliver(bodies, { shard: { fold: down } }, 100)).toEqual([14_400, 14_400]);
    expect(await deliverAgain()).toEqual(countedOnce);
  });
});

describe("a message that was judged by a newer plan", () => {
  test("makes the plan be read again at once", async () => {
    const plans = countingPlanStore(env.CONFIG);
    await plans.get("e", start + 58_000);
    await publish("e", 2);
    expect(await deliver([text([exposed()], "e", 2)], { plans })).toEqual(["ack"]);
    expect(await population("e")).toBe(1);
  });

  test("waits until the plan arrives, without holding the others back", async () => {
    const bodies = [text([exposed()], "later", 3), text([exposed()])];
    expect(await deliver(bodies)).toEqual([2, "ack"]);
    expect([await population("later"), await population("e")]).toEqual([null, 1]);
    await publish("later", 3);
    expect(await deliver(bodies.slice(0, 1))).toEqual(["ack"]);
    expect(await population("later")).toBe(1);
  });
});

test("what a queue gave up on is put aside whole", async () => {
  const bodies = [text([exposed()]), "{"];
  const batch = createMessageBatch(
    "edgewise-dead-letters",
    bodies.map((body, i) => ({ id: String(i), timestamp: new Date(start), attempts: 1, body })),
  );
  await putAllAside(batch, deadLetterStore(env.ARCHIVE), start);
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  expect(explicitAcks).toEqual(["0", "1"]);
  const letters = await archived("dead-letter/v1/");
  const kept = await Promise.all(
    letters.map(async ({ key }) => (await env.ARCHIVE.get(key))?.json<{ body: string }>()),
  );
  expect(new Set(kept.map((letter) => letter?.body))).toEqual(new Set(bodies));
});
