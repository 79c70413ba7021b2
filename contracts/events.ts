/**
 * `POST /api/v1/events/batch`: the envelope, and each event on its own, so that one that is wrong costs no other.
 * Only what an event says by itself is judged here; whether its names and its time are good is the intake's.
 */

import * as z from "zod/mini";
import type { Json } from "../core/index.ts";
import { TARGETING_KEY } from "../core/index.ts";
import { isRecord } from "../core/values.ts";
import { EventFields, parseInstant } from "./event-fields.ts";
import { limits } from "./limits.ts";

export const eventBatch = z.strictObject({
  /** The sender's clock when it sent: corrects the timestamps. */
  sentAt: z.exactOptional(
    z.string().check(
      z.refine((text) => parseInstant(text) !== null, {
        error: "An ISO-8601 instant such as 2026-01-14T09:30:00.000Z.",
      }),
    ),
  ),
  /** "import": past data. */
  source: z.exactOptional(z.enum(["server", "client", "import"])),
  events: z.array(z.unknown()),
});

export type EventBatchBody = z.output<typeof eventBatch>;

/**
 * What `eventBatch` makes of JSON, without a look at every event, which each gets by itself afterwards.
 * Null for what the schema has to judge: whatever is wrong, and a batch that says more than its events and when it was sent.
 */
export function readEventBatch(json: unknown): EventBatchBody | null {
  if (!isRecord(json)) return null;
  const { events, sentAt } = json;
  if (!Array.isArray(events)) return null;
  const fields = Object.keys(json).length;
  if (sentAt === undefined) return fields === 1 ? { events } : null;
  if (typeof sentAt !== "string" || parseInstant(sentAt) === null) return null;
  return fields === 2 ? { events, sentAt } : null;
}

export interface IncomingExposure {
  type: "exposure";
  experiment: string;
  phase?: number;
  variant: string;
  unit: string;
  timeMs: number;
  sdk?: string;
  attributes?: { [name: string]: Json };
}

export interface IncomingOutcome {
  type: "outcome";
  id: string;
  name: string;
  units: [kind: string, unit: string][];
  value?: number;
  timeMs: number;
  properties?: { [name: string]: Json };
}

export type IncomingEvent = IncomingExposure | IncomingOutcome;

/** Clients may rely on these. */
export type RejectionCode =
  | "invalid-event"
  | "timestamp-too-old"
  | "timestamp-in-future"
  | "unknown-experiment"
  | "unknown-variant"
  | "unknown-unit-kind";

export interface Rejection {
  code: RejectionCode;
  /** What is wrong and what to do about it. */
  detail: string;
}

export type Read<T> = { ok: true; value: T } | { ok: false; rejection: Rejection };

export function reject(code: RejectionCode, detail: string): { ok: false; rejection: Rejection } {
  return { ok: false, rejection: { code, detail } };
}

const exposureFields = new Set([
  "type",
  "experiment",
  "phase",
  "variant",
  "unit",
  "timestamp",
  "sdk",
  "attributes",
]);
const outcomeFields = new Set([
  "type",
  "id",
  "name",
  "unit",
  "units",
  "value",
  "timestamp",
  "properties",
]);

export function readEvent(raw: unknown): Read<IncomingEvent> {
  if (!isRecord(raw)) return reject("invalid-event", "An event is an object.");
  switch (raw["type"]) {
    case "exposure":
      return checked(new EventFields(raw, exposureFields), readExposure);
    case "outcome":
      return checked(new EventFields(raw, outcomeFields), readOutcome);
    default:
      return reject("invalid-event", 'type must be "exposure" or "outcome".');
  }
}

function checked<T>(fields: EventFields, read: (fields: EventFields) => T): Read<T> {
  const value = read(fields);
  const { problem } = fields;
  return problem === null ? { ok: true, value } : reject("invalid-event", problem);
}

function readExposure(fields: EventFields): IncomingExposure {
  const exposure: IncomingExposure = {
    type: "exposure",
    experiment: fields.text("experiment", limits.keyLength),
    variant: fields.text("variant", limits.keyLength),
    unit: fields.unit("unit"),
    timeMs: fields.instantMs("timestamp"),
  };
  if (fields.has("phase")) exposure.phase = fields.count("phase");
  if (fields.has("sdk")) exposure.sdk = fields.sdk("sdk");
  if (fields.has("attributes")) exposure.attributes = fields.attributes("attributes");
  return exposure;
}

function readOutcome(fields: EventFields): IncomingOutcome {
  const outcome: IncomingOutcome = {
    type: "outcome",
    id: fields.text("id", limits.eventIdLength),
    name: fields.text("name", limits.eventNameLength),
    units: unitsOf(fields),
    timeMs: fields.instantMs("timestamp"),
  };
  if (fields.has("value")) outcome.value = fields.value("value");
  if (fields.has("properties")) outcome.properties = fields.attributes("properties");
  return outcome;
}

/** A bare `unit` is the targeting key. */
function unitsOf(fields: EventFields): [kind: string, unit: string][] {
  if (!fields.has("units")) return [[TARGETING_KEY, fields.unit("unit")]];
  if (fields.has("unit")) fields.wrong("unit", "is already among units: give one of the two");
  return fields.units("units");
}
