import { expect, test } from "vitest";
import { readArchivedEvent } from "./archived-event.ts";

const exposure = {
  environment: "e",
  version: 7,
  receivedAtMs: 1_767_571_200_005,
  type: "exposure",
  experiment: "checkout",
  variant: "control",
  kind: "user",
  unit: "u1",
  timeMs: 1_767_571_200_000,
  source: "edge",
};
const outcome = {
  environment: "e",
  version: 7,
  receivedAtMs: 1_767_571_200_005,
  type: "outcome",
  id: "o1",
  name: "purchase",
  kind: "user",
  unit: "u1",
  timeMs: 1_767_571_200_000,
  source: "server",
};

test.each([
  ["an exposure", exposure],
  [
    "an exposure with everything",
    { ...exposure, phase: 2, sdk: "web/1", bot: true, attributes: { a: [null] } },
  ],
  ["an outcome", outcome],
  ["an outcome with everything", { ...outcome, value: -0.5, properties: {} }],
])("%s is read as it was written", (_, event) => {
  expect(readArchivedEvent(JSON.stringify(event))).toEqual(event);
});

test.each([
  ["of another type", { ...exposure, type: "explosion" }],
  ["without its environment", { ...exposure, environment: undefined }],
  ["with a time that is no whole number", { ...outcome, timeMs: 0.5 }],
  ["with a value that is text", { ...outcome, value: "1" }],
  ["with attributes that are a list", { ...exposure, attributes: [] }],
  ["with a field that it does not know", { ...outcome, currency: "EUR" }],
  ["with an exposure's field in an outcome", { ...outcome, phase: 1 }],
  ["that is no object", null],
])("a line %s is refused", (_, event) => {
  expect(() => readArchivedEvent(JSON.stringify(event))).toThrow(/no archived event/);
});
