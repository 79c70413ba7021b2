/**
 * A message of the queues EVENTS_0…n: JSON text, many events of one environment and one shard.
 * It outlives deployments, so it carries its format's version; a reader refuses what it does not know.
 */

import * as z from "zod/mini";
import type {
  Counts,
  CountedEvent,
  ExposureEvent,
  OutcomeEvent,
  Source,
} from "../counting/types.ts";
import { isRecord } from "./event-fields.ts";
import { limits } from "./limits.ts";

const source = z.enum(["server", "client", "import", "edge"]);
const attributes = z.record(z.string(), z.json());

const exposure = z.object({
  type: z.literal("exposure"),
  experiment: z.string(),
  phase: z.exactOptional(z.number()),
  variant: z.string(),
  kind: z.string(),
  unit: z.string(),
  timeMs: z.number(),
  source,
  sdk: z.exactOptional(z.string()),
  attributes: z.exactOptional(attributes),
  bot: z.exactOptional(z.literal(true)),
});

const outcome = z.object({
  type: z.literal("outcome"),
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  unit: z.string(),
  value: z.exactOptional(
    z.number().check(z.minimum(-limits.outcomeValue), z.maximum(limits.outcomeValue)),
  ),
  timeMs: z.number(),
  source,
  properties: z.exactOptional(attributes),
});

export interface EventMessage {
  v: 1;
  environment: string;
  /** The published version that the events were judged by: the consumer needs a plan at least as new. */
  version: number;
  receivedAtMs: number;
  /** May be empty, in a message that only counts. */
  events: CountedEvent[];
  counts?: Counts;
}

export const eventMessage = z.object({
  v: z.literal(1),
  environment: z.string(),
  version: z.number(),
  receivedAtMs: z.number(),
  events: z.array(z.discriminatedUnion("type", [exposure, outcome])),
  counts: z.exactOptional(z.record(z.string(), z.number())),
}) satisfies z.ZodMiniType<EventMessage>;

type Fields = { readonly [field: string]: unknown };

/** The message in a text. Throws on anything else. */
export function readEventMessage(text: string): EventMessage {
  const json: unknown = JSON.parse(text);
  return isUsualMessage(json) ? json : z.parse(eventMessage, json);
}

/**
 * Whether the schema would give this back as it is, found at a small part of its cost, which would be more than that of counting.
 * False for what the schema has to judge: whatever is wrong, nested attributes, and any field besides those that producers write.
 */
function isUsualMessage(json: unknown): json is EventMessage {
  if (!isRecord(json) || !Array.isArray(json["events"]) || json["counts"] !== undefined) {
    return false;
  }
  return (
    json["v"] === 1 &&
    typeof json["environment"] === "string" &&
    isFinite(json["version"]) &&
    isFinite(json["receivedAtMs"]) &&
    hasFields(json, 5) &&
    json["events"].every(isUsualEvent)
  );
}

function isUsualEvent(event: unknown): event is CountedEvent {
  if (!isRecord(event)) return false;
  return event["type"] === "exposure" ? isUsualExposure(event) : isUsualOutcome(event);
}

function isUsualExposure(event: Fields): event is Fields & ExposureEvent {
  const { phase, sdk, attributes, bot } = event;
  let fields = 7;
  if (sdk !== undefined) fields += 1;
  if (phase !== undefined) fields += 1;
  if (attributes !== undefined) fields += 1;
  if (bot !== undefined) fields += 1;
  return (
    typeof event["experiment"] === "string" &&
    typeof event["variant"] === "string" &&
    isOfUnit(event) &&
    (phase === undefined || isFinite(phase)) &&
    (sdk === undefined || typeof sdk === "string") &&
    (attributes === undefined || isFlat(attributes)) &&
    (bot === undefined || bot === true) &&
    hasFields(event, fields)
  );
}

function isUsualOutcome(event: Fields): event is Fields & OutcomeEvent {
  const { value, properties } = event;
  let fields = 7;
  if (value !== undefined) fields += 1;
  if (properties !== undefined) fields += 1;
  return (
    event["type"] === "outcome" &&
    typeof event["id"] === "string" &&
    typeof event["name"] === "string" &&
    isOfUnit(event) &&
    (value === undefined ||
      (typeof value === "number" && Math.abs(value) <= limits.outcomeValue)) &&
    (properties === undefined || isFlat(properties)) &&
    hasFields(event, fields)
  );
}

function isOfUnit({ kind, unit, timeMs, source: from }: Fields): boolean {
  return typeof kind === "string" && typeof unit === "string" && isFinite(timeMs) && isSource(from);
}

function isSource(value: unknown): value is Source {
  return value === "server" || value === "client" || value === "import" || value === "edge";
}

/** Depth is bounded by who reads it: the schema refuses what is nested too deeply to be written again. */
function isFlat(value: unknown): boolean {
  if (!isRecord(value)) return false;
  for (const member in value) {
    const inner = value[member];
    if (typeof inner === "object" && inner !== null) return false;
  }
  return true;
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

function hasFields(record: Fields, count: number): boolean {
  let fields = 0;
  for (const _ in record) fields += 1;
  return fields === count;
}
