import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ExposureEvent } from "../counting/types.ts";
import type { SentEvents } from "./event-queue.ts";
import { exposureLog } from "./exposure-log.ts";

const exposureOf = (unit: string, more: Partial<ExposureEvent> = {}): ExposureEvent => ({
  type: "exposure",
  experiment: "checkout",
  phase: 1,
  variant: "on",
  kind: "targetingKey",
  unit,
  timeMs: 0,
  source: "server",
  ...more,
});

/** A queue that refuses as long as it is told to, pauses that take no time, and what was sent. */
function parts() {
  const sent: SentEvents[] = [];
  const pausesMs: number[] = [];
  const queue = { refusals: 0, attempts: 0 };
  let pause: (ms: number) => Promise<void> = async (ms) => {
    pausesMs.push(ms);
  };
  const log = exposureLog(
    {
      send: async (message) => {
        queue.attempts += 1;
        if (queue.refusals > 0) {
          queue.refusals -= 1;
          throw new Error("Too Many Requests");
        }
        sent.push(message);
      },
    },
    (ms) => pause(ms),
  );
  const background: Promise<unknown>[] = [];
  return {
    sent,
    queue,
    pausesMs,
    holdPauses: () => {
      pause = () => new Promise(() => {});
    },
    send: (exposures: ExposureEvent[], nowMs = 0, environment = "e") => {
      const snapshot = { published: { version: 5 } };
      const later = (work: Promise<unknown>) => background.push(work);
      log.send({ environment, snapshot, nowMs, later } as never, exposures);
    },
    settled: () => Promise.all(background),
    units: () => sent.map(({ events }) => events.map(({ unit }) => unit)),
  };
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("the exposures of one evaluation are one message, with the version that decided them", async () => {
  const { send, settled, sent } = parts();
  send([exposureOf("u1"), exposureOf("u1", { experiment: "search" })], 1_234);
  await settled();
  expect(sent).toMatchObject([{ environment: "e", version: 5, receivedAtMs: 1_234 }]);
  expect(sent[0]?.events).toHaveLength(2);
  expect(sent[0]).not.toHaveProperty("counts");
});

test("nothing to send is no message", async () => {
  const { send, settled, queue } = parts();
  send([]);
  await settled();
  expect(queue.attempts).toBe(0);
});

test("the same identity is not sent again for ten minutes, then it is", async () => {
  const { send, settled, sent } = parts();
  for (const nowMs of [0, 1_000, 599_999]) {
    send([exposureOf("u1")], nowMs);
    await settled();
  }
  expect(sent).toHaveLength(1);
  send([exposureOf("u1")], 600_000);
  await settled();
  expect(sent).toHaveLength(2);
});

test.each([
  ["experiment", { experiment: "other" }],
  ["phase", { phase: 2 }],
  ["variant", { variant: "off" }],
  ["kind", { kind: "device" }],
  ["unit", { unit: "u2" }],
])("another %s is another identity", async (_name, more) => {
  const { send, settled, sent } = parts();
  send([exposureOf("u1")]);
  await settled();
  send([exposureOf("u1", more)]);
  await settled();
  expect(sent).toHaveLength(2);
});

test("the same identity in another environment is sent", async () => {
  const { send, settled, sent } = parts();
  for (const environment of ["e", "f"]) {
    send([exposureOf("u1")], 0, environment);
    await settled();
  }
  expect(sent.map(({ environment }) => environment)).toEqual(["e", "f"]);
});

test("no kind and unit read together like another kind and unit", async () => {
  const { send, settled, sent } = parts();
  send([exposureOf("b/c", { kind: "a" })]);
  await settled();
  send([exposureOf("c", { kind: "a/b" })]);
  await settled();
  expect(sent).toHaveLength(2);
});

test("a failed send is tried again, later each time, and not counted when it succeeds", async () => {
  const { send, settled, sent, queue, pausesMs } = parts();
  queue.refusals = 3;
  send([exposureOf("u1")]);
  await settled();
  expect(pausesMs).toEqual([100, 500, 2_500]);
  send([exposureOf("u2")]);
  await settled();
  expect(sent.map(({ counts }) => counts)).toEqual([undefined, undefined]);
});

test("what could not be sent is counted once, and told with the next message of its environment", async () => {
  const { send, settled, sent, queue } = parts();
  queue.refusals = 4;
  send([exposureOf("u1"), exposureOf("u2")]);
  await settled();
  send([exposureOf("u3")], 0, "other");
  send([exposureOf("u4")]);
  await settled();
  send([exposureOf("u5")]);
  await settled();
  expect(sent.map(({ environment, counts }) => [environment, counts])).toEqual([
    ["other", undefined],
    ["e", { "dropped-exposures": 2 }],
    ["e", undefined],
  ]);
  expect(console.error).toHaveBeenCalledTimes(1);
});

test("an identity whose send failed is sent the next time", async () => {
  const { send, settled, units, queue } = parts();
  queue.refusals = 4;
  send([exposureOf("u1")]);
  await settled();
  expect(units()).toEqual([]);
  send([exposureOf("u1")], 1);
  await settled();
  expect(units()).toEqual([["u1"]]);
});

test("an identity whose send is still under way is not skipped", async () => {
  const { send, units, queue, holdPauses } = parts();
  holdPauses();
  queue.refusals = 1;
  send([exposureOf("u1")]);
  send([exposureOf("u1")]);
  await new Promise((done) => setImmediate(done));
  expect(units()).toEqual([["u1"]]);
});

test("a queue that is down holds ten thousand waiting exposures, not more: the others are lost at once", async () => {
  const { send, queue, holdPauses } = parts();
  holdPauses();
  queue.refusals = Infinity;
  for (let i = 0; i < 12; i++) {
    send(Array.from({ length: 1_000 }, (_, unit) => exposureOf(`${i}-${unit}`)));
  }
  await new Promise((done) => setImmediate(done));
  expect(console.error).toHaveBeenCalledTimes(2);
});

test.each([
  ["longer than 256 characters", "x".repeat(257)],
  ["ill-formed", "a\ud800"],
])("a unit that is %s is not sent, but counted, and the others are sent", async (_name, unit) => {
  const { send, settled, sent, units } = parts();
  send([exposureOf(unit), exposureOf("x".repeat(256))]);
  await settled();
  expect(units()).toEqual([["x".repeat(256)]]);
  expect(sent[0]?.counts).toEqual({ "dropped-exposures": 1 });
});
