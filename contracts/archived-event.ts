/**
 * An event in the archive: as it was counted, with its message's environment, version and receivedAtMs. A line of a raw object is a message
 * (queue-message.ts); a row of a Parquet file is one event. With anything else in it either is refused, so that nothing is left out
 * when events are copied to another format. Checked by hand, because a compaction reads hundreds of thousands a second.
 */

import { isRecord } from "../core/values.ts";
import type { ExposureEvent, OutcomeEvent } from "../counting/types.ts";
import { readEventMessage } from "./queue-message.ts";

interface Reception {
  environment: string;
  /** The published version that the event was judged by. */
  version: number;
  receivedAtMs: number;
}

export type ArchivedExposure = ExposureEvent & Reception;
export type ArchivedOutcome = OutcomeEvent & Reception;
export type ArchivedEvent = ArchivedExposure | ArchivedOutcome;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isWhole: Check = (value) => Number.isSafeInteger(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const common = {
  environment: isText,
  version: isWhole,
  receivedAtMs: isWhole,
  timeMs: isWhole,
  kind: isText,
  unit: isText,
  source: isText,
};

const exposureFields: Record<keyof ArchivedExposure, Check> = {
  ...common,
  type: (value) => value === "exposure",
  experiment: isText,
  phase: optional(isWhole),
  variant: isText,
  sdk: optional(isText),
  bot: optional((value) => value === true),
  attributes: optional(isRecord),
};

const outcomeFields: Record<keyof ArchivedOutcome, Check> = {
  ...common,
  type: (value) => value === "outcome",
  id: isText,
  name: isText,
  value: optional((value) => typeof value === "number"),
  properties: optional(isRecord),
};

const exposureChecks = Object.entries(exposureFields);
const outcomeChecks = Object.entries(outcomeFields);

/** The events of a line of a raw object. Throws on one that is no message. */
export function readArchivedLine(line: string): ArchivedEvent[] {
  const { environment, version, receivedAtMs, events } = readEventMessage(line);
  return events.map((event) => ({ environment, version, receivedAtMs, ...event }));
}

/** Throws on JSON that is no event of this format. */
export function readArchivedEvent(json: string): ArchivedEvent {
  const value: unknown = JSON.parse(json);
  if (isExposure(value) || isOutcome(value)) return value;
  throw new Error(`it is no archived event: ${json.slice(0, 200)}`);
}

function isExposure(value: unknown): value is ArchivedExposure {
  return hasFields(value, exposureChecks, exposureFields);
}

function isOutcome(value: unknown): value is ArchivedOutcome {
  return hasFields(value, outcomeChecks, outcomeFields);
}

function hasFields(
  value: unknown,
  checks: readonly (readonly [string, Check])[],
  known: object,
): boolean {
  return (
    isRecord(value) &&
    checks.every(([field, check]) => check(value[field])) &&
    Object.keys(value).every((field) => Object.hasOwn(known, field))
  );
}
