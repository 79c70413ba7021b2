import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInstant } from "./event-fields.ts";
import { eventBatch, readEvent, readEventBatch } from "./events.ts";
import type { CountedEvent } from "../counting/types.ts";
import { messageTexts } from "../test/message-texts.ts";
import { readEventMessage } from "./queue-message.ts";

const timestamp = "2026-01-14T09:30:00.000Z";
const timeMs = Date.UTC(2026, 0, 14, 9, 30);
const exposure = { type: "exposure", experiment: "checkout", variant: "a", unit: "u1", timestamp };
const outcome = { type: "outcome", id: "o1", name: "purchase", unit: "u1", timestamp };

const detailOf = (raw: unknown) => {
  const read = readEvent(raw);
  return read.ok ? null : `${read.rejection.code}: ${read.rejection.detail}`;
};

test("an exposure and an outcome, with all that they may have", () => {
  expect(
    readEvent({
      ...exposure,
      phase: 2,
      sdk: "web/1",
      attributes: { country: "US", nested: [1, null] },
    }),
  ).toEqual({
    ok: true,
    value: {
      type: "exposure",
      experiment: "checkout",
      phase: 2,
      variant: "a",
      unit: "u1",
      timeMs,
      sdk: "web/1",
      attributes: { country: "US", nested: [1, null] },
    },
  });
  expect(readEvent({ ...outcome, value: -2.5, properties: {} })).toEqual({
    ok: true,
    value: {
      type: "outcome",
      id: "o1",
      name: "purchase",
      units: [["targetingKey", "u1"]],
      value: -2.5,
      timeMs,
      properties: {},
    },
  });
});

test("an outcome's units by kind; finite numbers are units", () => {
  const { unit: _, ...bare } = outcome;
  expect(readEvent({ ...bare, units: { user: 42, device: "d" } })).toMatchObject({
    value: {
      units: [
        ["user", "42"],
        ["device", "d"],
      ],
    },
  });
});

describe("an event is refused by name:", () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const long = (length: number) => "x".repeat(length);
  test.each([
    ["no object", null, "An event is an object."],
    ["a list", [], "An event is an object."],
    ["no type", {}, 'type must be "exposure" or "outcome".'],
    ["an unknown field", { ...exposure, units: {} }, "units is unknown: remove it."],
    ["an unknown field", { ...outcome, __proto_: 1 }, "__proto_ is unknown: remove it."],
    ["no experiment", { ...exposure, experiment: undefined }, "experiment must be"],
    ["an empty variant", { ...exposure, variant: "" }, "variant must be"],
    ["an overlong variant", { ...exposure, variant: long(101) }, "of 1 to 100 characters"],
    ["an overlong id", { ...outcome, id: long(129) }, "id must be"],
    ["an overlong name", { ...outcome, name: long(101) }, "name must be"],
    ["a number as name", { ...outcome, name: 5 }, "name must be"],
    ["an overlong unit", { ...exposure, unit: long(257) }, "unit must be"],
    ["an empty unit", { ...exposure, unit: "" }, "unit must be"],
    ["no unit", { ...outcome, unit: undefined }, "unit must be"],
    ["a boolean unit", { ...outcome, unit: true }, "unit must be"],
    ["unit and units", { ...outcome, units: { user: "u" } }, "unit is already among units"],
    ["no units", { ...outcome, unit: undefined, units: [] }, "unit is already among units"],
    ["a lone surrogate as unit", { ...exposure, unit: "a\ud800" }, "unit must be well-formed"],
    ["a lone surrogate as id", { ...outcome, id: "\udc00" }, "id must be well-formed"],
    [
      "a lone surrogate inside",
      { ...outcome, properties: { a: ["\udc00"] } },
      "properties must be",
    ],
    [
      "a lone surrogate as name",
      { ...exposure, attributes: { "\ud800": 1 } },
      "attributes must be",
    ],
    ["an SDK of two words", { ...exposure, sdk: "my app" }, "sdk must be 1 to 64 printable"],
    ["a list of attributes", { ...exposure, attributes: [] }, "attributes must be an object"],
    ["null attributes", { ...exposure, attributes: null }, "attributes must be an object"],
    [
      "large attributes",
      { ...exposure, attributes: { a: "é".repeat(2_000) } },
      "at most 4000 bytes",
    ],
    ["deep attributes", { ...exposure, attributes: { a: deep(8) } }, "at most 8 levels deep"],
    ["very deep attributes", { ...exposure, attributes: { a: deep(5_000) } }, "levels deep"],
    ["phase 0", { ...exposure, phase: 0 }, "phase must be a whole number from 1"],
    ["phase 1.5", { ...exposure, phase: 1.5 }, "phase must be"],
    ["an infinite value", { ...outcome, value: Infinity }, "value must be a number"],
    ["a huge value", { ...outcome, value: 1e16 }, "value must be a number"],
    ["a null value", { ...outcome, value: null }, "value must be a number"],
    ["a number as timestamp", { ...outcome, timestamp: timeMs }, "timestamp must be an ISO-8601"],
    [
      "a timestamp without offset",
      { ...outcome, timestamp: "2026-01-14T09:30:00" },
      "timestamp must be",
    ],
    ["no timestamp", { ...outcome, timestamp: undefined }, "timestamp must be an ISO-8601"],
  ])("%s", (_, raw, detail) => {
    expect(detailOf(raw)).toContain("invalid-event: ");
    expect(detailOf(raw)).toContain(detail);
  });

  const { unit: _, ...bare } = outcome;
  test.each([
    ["empty units", {}, "at least one"],
    ["null units", null, "at least one"],
    ["an empty kind", { "": "u" }, "kinds of 1 to 64 plain characters"],
    ["a kind with a control character", { "a\u001f": "u" }, "plain characters"],
    ["an object as unit", { user: {} }, "units/user must be"],
  ])("%s", (_, units, detail) => {
    expect(detailOf({ ...bare, units })).toContain(detail);
  });
});

test("instants are ISO-8601 with an offset, and days exist", () => {
  expect(parseInstant("2026-01-14T10:30:00+01:00")).toBe(timeMs);
  expect(parseInstant("2026-01-14T09:30Z")).toBe(timeMs);
  expect(parseInstant("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29));
  for (const text of [
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-14",
    "14 Jan 2026",
    "2026-01-14T25:00:00Z",
    "",
    5,
    null,
  ]) {
    expect(parseInstant(text)).toBe(null);
  }
  expect(parseInstant("2026-01-14T24:00:00.000Z")).toBe(Date.UTC(2026, 0, 15));
  expect(parseInstant("0099-12-31T23:59:59.999Z")).toBe(Date.parse("0099-12-31T23:59:59.999Z"));
  const dates = fc.date({
    min: new Date(Date.parse("0000-01-01")),
    max: new Date("9999-12-31"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(dates, (date) => {
      expect(parseInstant(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test("no JSON makes it throw, and what it takes a consumer can read", () => {
  const field = fc.constantFrom(
    ...new Set([
      ...Object.keys(exposure),
      ...Object.keys(outcome),
      "units",
      "value",
      "sdk",
      "attributes",
      "properties",
      "phase",
    ]),
  );
  const mangled = fc
    .tuple(
      fc.constantFrom<object>(exposure, outcome),
      fc.dictionary(field, fc.jsonValue(), { maxKeys: 2 }),
    )
    .map(([event, changes]) => ({ ...event, ...changes }));
  fc.assert(
    fc.property(fc.oneof(mangled, fc.jsonValue()), (raw) => {
      const read = readEvent(raw);
      if (!read.ok) {
        expect(read.rejection.detail).toMatch(/\.$/);
        return;
      }
      const { units, ...rest } = { units: [], ...read.value };
      const identities = units.length > 0 ? units : [["user", "unit" in rest ? rest.unit : ""]];
      const events = identities.map(([kind, unit]) => ({ ...rest, kind, unit, source: "server" }));
      const head = { environment: "e", version: 1, receivedAtMs: 0 };
      const [text = ""] = messageTexts({ ...head, events: events as CountedEvent[] });
      expect(readEventMessage(text).events).toEqual(JSON.parse(JSON.stringify(events)));
    }),
    { numRuns: 5_000 },
  );
});

test("a batch that is read quickly is what the schema makes of it", () => {
  let quick = 0;
  const instant = fc.oneof(fc.constant("2026-01-14T09:30:00.000Z"), fc.string());
  const batches = fc.record(
    {
      events: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
      sentAt: fc.oneof(instant, fc.jsonValue()),
      source: fc.constantFrom("server", "client", "import", "other"),
      other: fc.jsonValue(),
    },
    { requiredKeys: ["events"] },
  );
  const usual = fc.record(
    { events: fc.array(fc.jsonValue()), sentAt: instant },
    { requiredKeys: ["events"] },
  );
  fc.assert(
    fc.property(fc.oneof(usual, batches, fc.jsonValue()), (batch) => {
      const json: unknown = JSON.parse(JSON.stringify(batch));
      const read = readEventBatch(json);
      if (read === null) return;
      quick += 1;
      expect(eventBatch.safeParse(json)).toEqual({ success: true, data: read });
    }),
    { numRuns: 2_000 },
  );
  expect(quick).toBeGreaterThan(50);
});
