/**
 * A message of the queues EVENTS_0…n: JSON text, many events of one environment and one shard; counting/pack.ts writes it.
 * It is archived as it is, a line a message (archived-event.ts). It outlives deployments, so it carries its format's version;
 * a reader refuses what it does not know. Checked by hand, at a small part of what a schema would cost.
 */

import { isRecord } from "../core/values.ts";
import type {
  CountedEvent,
  Counts,
  ExposureEvent,
  OutcomeEvent,
  Source,
} from "../counting/types.ts";
import { attributesDepth, isShallow } from "./event-fields.ts";
import { limits } from "./limits.ts";

export interface EventMessage {
  environment: string;
  /** The published version that the events were judged by: the consumer needs a plan at least as new. */
  version: number;
  receivedAtMs: number;
  /** May be empty, in a message that only counts. */
  events: CountedEvent[];
  counts?: Counts;
}

/**
 * The message in a text. Throws a TypeError on anything but one line of
 *
 *     {"v": 2, "environment", "version", "receivedAtMs", "names": [text, …], "exposures": […], "outcomes": […], "counts"?: {name: number}}
 *
 * with exposures [kind, source, unit, ms before receivedAtMs, experiment, variant, phase or null, attributes or null, 1 for a bot or null, SDK or null]
 * and outcomes [kind, source, unit, ms before receivedAtMs, name, id, value or null, properties], both without what is absent at their end.
 * Kinds, sources, SDKs, experiments, variants and names of outcomes are indexes into `names`.
 */
export function readEventMessage(text: string): EventMessage {
  const json: unknown = JSON.parse(text);
  if (!isRecord(json) || json["v"] !== 2 || text.includes("\n")) throw misshapen("format");
  const { environment, version, receivedAtMs, names, exposures, outcomes, counts } = json;
  if (typeof environment !== "string") throw misshapen("environment");
  if (!isWhole(version) || !isWhole(receivedAtMs)) throw misshapen("version or receivedAtMs");
  if (!isTexts(names)) throw misshapen("names");
  if (!isList(exposures) || !isList(outcomes)) throw misshapen("events");
  const reader = { names, receivedAtMs };
  const events: CountedEvent[] = [];
  for (const entry of exposures) events.push(exposureOf(entry, reader));
  for (const entry of outcomes) events.push(outcomeOf(entry, reader));
  const message: EventMessage = { environment, version, receivedAtMs, events };
  if (counts === undefined) return message;
  if (!isCounts(counts)) throw misshapen("counts");
  return { ...message, counts };
}

interface Reader {
  names: readonly string[];
  receivedAtMs: number;
}

function exposureOf(entry: unknown, reader: Reader): ExposureEvent {
  if (!isList(entry) || entry.length < 6 || entry.length > 10) throw misshapen("exposure");
  const event: ExposureEvent = {
    type: "exposure",
    experiment: nameAt(entry[4], reader),
    variant: nameAt(entry[5], reader),
    kind: nameAt(entry[0], reader),
    unit: textIn(entry[2]),
    timeMs: timeIn(entry[3], reader),
    source: sourceAt(entry[1], reader),
  };
  if (isGiven(entry[6])) event.phase = wholeIn(entry[6]);
  if (isGiven(entry[7])) event.attributes = recordIn(entry[7]);
  if (entry[8] === 1) event.bot = true;
  else if (isGiven(entry[8])) throw misshapen("bot");
  if (isGiven(entry[9])) event.sdk = nameAt(entry[9], reader);
  return event;
}

function outcomeOf(entry: unknown, reader: Reader): OutcomeEvent {
  if (!isList(entry) || entry.length < 6 || entry.length > 8) throw misshapen("outcome");
  const event: OutcomeEvent = {
    type: "outcome",
    id: textIn(entry[5]),
    name: nameAt(entry[4], reader),
    kind: nameAt(entry[0], reader),
    unit: textIn(entry[2]),
    timeMs: timeIn(entry[3], reader),
    source: sourceAt(entry[1], reader),
  };
  if (isGiven(entry[6])) event.value = valueIn(entry[6]);
  if (entry[7] !== undefined) event.properties = recordIn(entry[7]);
  return event;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function nameAt(index: unknown, { names }: Reader): string {
  const name = typeof index === "number" ? names[index] : undefined;
  if (name === undefined) throw misshapen("name");
  return name;
}

function sourceAt(index: unknown, reader: Reader): Source {
  const source = nameAt(index, reader);
  if (source === "server" || source === "client" || source === "import" || source === "edge") {
    return source;
  }
  throw misshapen("source");
}

function textIn(value: unknown): string {
  if (typeof value === "string") return value;
  throw misshapen("text");
}

function timeIn(agoMs: unknown, { receivedAtMs }: Reader): number {
  return receivedAtMs - wholeIn(agoMs);
}

function wholeIn(value: unknown): number {
  if (isWhole(value)) return value;
  throw misshapen("whole number");
}

function valueIn(value: unknown): number {
  if (typeof value === "number" && Math.abs(value) <= limits.outcomeValue) return value;
  throw misshapen("value");
}

/** Depth is bounded by who sends: what is nested too deeply could not be written again. */
function recordIn(value: unknown) {
  if (isRecord(value) && isShallow(value, attributesDepth)) return value;
  throw misshapen("attributes");
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return isList(value) && value.every((each) => typeof each === "string");
}

function isCounts(value: unknown): value is Counts {
  return isRecord(value) && Object.values(value).every((each) => typeof each === "number");
}

function misshapen(what: string): TypeError {
  return new TypeError(`the message is of another format: its ${what}`);
}
