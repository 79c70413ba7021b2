import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import { eventMessage, readEventMessage } from "./queue-message.ts";

const mostly = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: fc.jsonValue() });

const record = fc.dictionary(fc.string(), fc.jsonValue());
const common = {
  kind: mostly(fc.string()),
  unit: mostly(fc.string()),
  timeMs: mostly(fc.double()),
  source: mostly(fc.constantFrom("server", "client", "import", "edge")),
};
const exposure = fc.record(
  {
    type: mostly(fc.constant("exposure")),
    experiment: mostly(fc.string()),
    variant: mostly(fc.string()),
    ...common,
    phase: mostly(fc.nat()),
    sdk: mostly(fc.string()),
    attributes: mostly(record),
    bot: mostly(fc.constant(true)),
  },
  {
    requiredKeys: ["type", "experiment", "variant", "kind", "unit", "timeMs", "source"],
  },
);
const outcome = fc.record(
  {
    type: mostly(fc.constant("outcome")),
    id: mostly(fc.string()),
    name: mostly(fc.string()),
    ...common,
    value: mostly(fc.oneof(fc.double(), fc.constantFrom(1e15, -1e15, 1e16))),
    properties: mostly(record),
    other: fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.jsonValue() },
    ),
  },
  { requiredKeys: ["type", "id", "name", "kind", "unit", "timeMs", "source"] },
);
const messages = fc.record(
  {
    v: mostly(fc.constant(1)),
    environment: mostly(fc.string()),
    version: mostly(fc.nat()),
    receivedAtMs: mostly(fc.nat()),
    events: mostly(fc.array(fc.oneof(exposure, outcome), { maxLength: 3 })),
    counts: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.dictionary(fc.string(), fc.nat()) },
    ),
  },
  { requiredKeys: ["v", "environment", "version", "receivedAtMs", "events"] },
);

test("a message is read as the schema reads it, and what the schema refuses is refused", () => {
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.oneof({ weight: 9, arbitrary: messages }, { weight: 1, arbitrary: fc.jsonValue() }),
      (message) => {
        const text = JSON.stringify(message);
        const judged = z.safeParse(eventMessage, JSON.parse(text));
        if (judged.success) {
          read += 1;
          expect(readEventMessage(text)).toEqual(judged.data);
        } else {
          refused += 1;
          expect(() => readEventMessage(text)).toThrow();
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(500);
});
