import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import type { CountedEvent } from "../counting/types.ts";
import { messageTexts } from "../test/message-texts.ts";
import { readEventMessage } from "./queue-message.ts";

const head = { environment: "e", version: 7, receivedAtMs: 1_767_571_200_000 };

const text = fc.string({ unit: "binary" }).filter((each) => each.isWellFormed());
const attributes = fc.dictionary(
  text,
  fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text)),
);
const identity = {
  kind: fc.constantFrom("targetingKey", "device"),
  unit: text,
  timeMs: fc.integer({ min: 0, max: 4e12 }),
  source: fc.constantFrom("server", "client", "import", "edge"),
};
const exposureEvent = fc.record(
  {
    type: fc.constant("exposure"),
    experiment: text,
    variant: text,
    ...identity,
    phase: fc.nat(),
    attributes,
    bot: fc.constant(true),
    sdk: text,
  },
  { requiredKeys: ["type", "experiment", "variant", "kind", "unit", "timeMs", "source"] },
);
const outcomeEvent = fc.record(
  {
    type: fc.constant("outcome"),
    id: text,
    name: text,
    ...identity,
    value: fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((value) => value + 0),
    properties: attributes,
  },
  { requiredKeys: ["type", "id", "name", "kind", "unit", "timeMs", "source"] },
);
const eventList = (events: fc.Arbitrary<unknown>) =>
  fc.array(events, { maxLength: 8 }) as fc.Arbitrary<CountedEvent[]>;

test("events are read as they were packed, exposures first", () => {
  fc.assert(
    fc.property(eventList(exposureEvent), eventList(outcomeEvent), (exposures, outcomes) => {
      const sent = [...outcomes, ...exposures];
      const [message, ...more] = messageTexts({ ...head, events: sent }).map(readEventMessage);
      expect(more).toEqual([]);
      const plain: unknown = JSON.parse(JSON.stringify([...exposures, ...outcomes]));
      expect(message?.events ?? []).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});

const names = ["targetingKey", "server", "checkout", "control", "purchase"];
const index = z.int().check(z.minimum(0), z.maximum(names.length - 1));
const source = z.literal(names.indexOf("server"));
const whole = z.int();
const bot = z.nullable(z.literal(1));
const flat = z.nullable(z.record(z.string(), z.json()));
const common = [index, source, z.string(), whole] as const;
/** What a reader accepts, said a second time. */
const oracle = z.object({
  v: z.literal(2),
  environment: z.string(),
  version: whole,
  receivedAtMs: whole,
  names: z.array(z.string()),
  exposures: z.array(
    z.union([
      z.tuple([...common, index, index]),
      z.tuple([...common, index, index, z.nullable(whole)]),
      z.tuple([...common, index, index, z.nullable(whole), flat]),
      z.tuple([...common, index, index, z.nullable(whole), flat, bot]),
      z.tuple([...common, index, index, z.nullable(whole), flat, bot, z.nullable(index)]),
    ]),
  ),
  outcomes: z.array(
    z.union([
      z.tuple([...common, index, z.string()]),
      z.tuple([...common, index, z.string(), z.nullable(value())]),
      z.tuple([...common, index, z.string(), z.nullable(value()), z.record(z.string(), z.json())]),
    ]),
  ),
  counts: z.exactOptional(z.record(z.string(), z.number())),
});

function value() {
  return z.number().check(z.minimum(-1e15), z.maximum(1e15));
}

const mostly = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: fc.jsonValue() });
const name = mostly(fc.nat(names.length - 1));
const unit = [name, mostly(fc.constant(1)), mostly(fc.string()), mostly(fc.integer())] as const;
const cut = <T>([entry, length]: [T[], number]) => entry.slice(0, length);
const exposures = fc
  .tuple(
    fc.tuple(
      ...unit,
      name,
      name,
      mostly(fc.option(fc.nat())),
      mostly(fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })))),
      mostly(fc.constantFrom(1, null)),
      mostly(fc.option(name)),
      fc.jsonValue(),
    ),
    fc.constantFrom(6, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 5, 11),
  )
  .map(cut);
const outcomes = fc
  .tuple(
    fc.tuple(
      ...unit,
      name,
      mostly(fc.string()),
      mostly(fc.oneof(fc.double(), fc.constantFrom(null, 1e15, -1e15, 1e16))),
      mostly(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))),
      fc.jsonValue(),
    ),
    fc.constantFrom(6, 6, 6, 7, 7, 8, 8, 5, 9),
  )
  .map(cut);
const messages = fc.record(
  {
    v: mostly(fc.constant(2)),
    environment: mostly(fc.string()),
    version: mostly(fc.nat()),
    receivedAtMs: mostly(fc.nat()),
    names: fc.oneof(
      { weight: 60, arbitrary: fc.constant<unknown>(names) },
      { weight: 1, arbitrary: fc.constantFrom<unknown>(null, {}, [1], "a") },
    ),
    exposures: mostly(fc.array(exposures, { maxLength: 2 })),
    outcomes: mostly(fc.array(outcomes, { maxLength: 2 })),
    counts: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.dictionary(fc.string(), fc.nat()) },
    ),
  },
  {
    requiredKeys: ["v", "environment", "version", "receivedAtMs", "names", "exposures", "outcomes"],
  },
);

test("what has not exactly the shape of a message is refused", () => {
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.oneof({ weight: 9, arbitrary: messages }, { weight: 1, arbitrary: fc.jsonValue() }),
      (message) => {
        const json = JSON.stringify(message);
        const judged = z.safeParse(oracle, JSON.parse(json));
        if (judged.success) {
          read += 1;
          const { events } = readEventMessage(json);
          expect(events).toHaveLength(judged.data.exposures.length + judged.data.outcomes.length);
        } else {
          refused += 1;
          expect(() => readEventMessage(json)).toThrow();
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(500);
});

test("a message of more than one line would be several in the archive, and is refused", () => {
  const [message = ""] = messageTexts({ ...head, events: [], counts: { "refused-events": 1 } });
  expect(readEventMessage(message).counts).toEqual({ "refused-events": 1 });
  expect(() => readEventMessage(`${message}\n`)).toThrow(TypeError);
});
