/** Whether incoming events may be counted: each by itself, by its time, and by the names that only the counting plan knows. */

import { readEvent, reject } from "../../contracts/events.ts";
import type {
  IncomingEvent,
  IncomingExposure,
  IncomingOutcome,
  Read,
  Rejection,
} from "../../contracts/events.ts";
import { limits } from "../../contracts/limits.ts";
import { TARGETING_KEY } from "../../core/index.ts";
import type { CompiledPlan } from "../../counting/plan.ts";
import type { CountedEvent, ExposureEvent, OutcomeEvent, Source } from "../../counting/types.ts";

export interface Reception {
  plan: CompiledPlan;
  source: Source;
  receivedAtMs: number;
  /** How far the sender's clock is behind ours. */
  clockShiftMs: number;
}

/**
 * How far to move a batch's timestamps. Nothing within the tolerance, and nothing in an import,
 * whose timestamps were never taken from the clock of who sends it.
 */
export function clockShift(sentAtMs: number | null, receivedAtMs: number, source: Source): number {
  if (sentAtMs === null || source === "import") return 0;
  const shiftMs = receivedAtMs - sentAtMs;
  return Math.abs(shiftMs) > limits.clockSkewMs ? shiftMs : 0;
}

export interface Judged {
  /** Of the incoming events; an outcome with several units becomes as many events to count. */
  accepted: number;
  rejected: (Rejection & { index: number })[];
  events: CountedEvent[];
}

export function judge(incoming: readonly unknown[], reception: Reception): Judged {
  const judged: Judged = { accepted: 0, rejected: [], events: [] };
  for (const [index, raw] of incoming.entries()) {
    const read = readEvent(raw);
    const admitted = read.ok ? admit(read.value, reception) : read;
    if (admitted.ok) {
      judged.accepted++;
      judged.events.push(...admitted.value);
    } else {
      judged.rejected.push({ index, ...admitted.rejection });
    }
  }
  return judged;
}

function admit(incoming: IncomingEvent, reception: Reception): Read<CountedEvent[]> {
  const { source, receivedAtMs, clockShiftMs } = reception;
  const timeMs = incoming.timeMs + clockShiftMs;
  if (timeMs > receivedAtMs + limits.eventMaxFutureMs) {
    return reject(
      "timestamp-in-future",
      `timestamp is ${secondsText(timeMs - receivedAtMs)} ahead of now: check the clock, or send sentAt with the batch.`,
    );
  }
  if (source !== "import" && timeMs < receivedAtMs - limits.eventMaxAgeMs) {
    return reject(
      "timestamp-too-old",
      'timestamp is more than 3 days ago: past data goes in a batch with source "import", sent with a server or admin key.',
    );
  }
  if (timeMs < limits.eventEarliestMs) {
    return reject("timestamp-too-old", "timestamp is before the year 2000: a date was not set.");
  }
  return incoming.type === "exposure"
    ? admitExposure(incoming, timeMs, reception)
    : admitOutcome(incoming, timeMs, reception);
}

function admitExposure(
  { experiment: key, phase, variant, unit, sdk, attributes }: IncomingExposure,
  timeMs: number,
  { plan, source }: Reception,
): Read<CountedEvent[]> {
  const experiment = plan.experiments.get(key);
  if (!experiment) {
    return reject(
      "unknown-experiment",
      `experiment ${key} has not been started in this environment, or is archived.`,
    );
  }
  if (!experiment.variants.has(variant)) {
    return reject(
      "unknown-variant",
      `variant ${variant} is none of experiment ${key}: ${[...experiment.variants].join(", ")}.`,
    );
  }
  const kind = experiment.unit;
  const event: ExposureEvent = {
    type: "exposure",
    experiment: key,
    variant,
    kind,
    unit,
    timeMs,
    source,
  };
  if (sdk !== undefined) event.sdk = sdk;
  if (phase !== undefined) event.phase = phase;
  if (attributes !== undefined) event.attributes = attributes;
  return { ok: true, value: [event] };
}

function admitOutcome(
  { id, name, units, value, properties }: IncomingOutcome,
  timeMs: number,
  { plan, source }: Reception,
): Read<CountedEvent[]> {
  const unknown = units.find(([kind]) => kind !== TARGETING_KEY && !plan.kinds.has(kind));
  if (unknown) {
    const known = [...new Set([TARGETING_KEY, ...plan.kinds])].join(", ");
    return reject(
      "unknown-unit-kind",
      `units/${unknown[0]} is no kind of unit that an experiment of this environment has: ${known}.`,
    );
  }
  const events = units.map(([kind, unit]) => {
    const event: OutcomeEvent = { type: "outcome", id, name, kind, unit, timeMs, source };
    if (value !== undefined) event.value = value;
    if (properties !== undefined) event.properties = properties;
    return event;
  });
  return { ok: true, value: events };
}

function secondsText(milliseconds: number): string {
  return `${Math.round(milliseconds / 1_000)} s`;
}
