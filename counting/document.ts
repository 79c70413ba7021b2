/**
 * What a shard remembers of one unit: its exposures with what each contributes to the cells, and its recent outcomes.
 * Stored as short text, because a batch reads and writes tens of thousands of them, and every byte is paid for in pages that
 * they are spread over. Names are those of the shard's dictionary. The stored form outlives deployments: it begins with its format's version.
 */

import type { Assignment } from "./assignment.ts";
import type { Names } from "./names.ts";
import { OutcomeLog } from "./outcome-log.ts";
import { PackedReader, packNatural, packNumber } from "./packed-text.ts";

const formatVersion = "3";

/** What a unit adds to a metric's cells: y (a ratio's numerator), d its denominator, x its covariate. */
export interface MetricValue {
  metric: string;
  y: number;
  d: number;
  x: number;
}

export interface UnitExposure {
  assignment: Assignment;
  /** The earliest that is known. */
  timeMs: number;
  /** From its time until it was received, in whole minutes. */
  delayMinutes: number;
  /** What is in the cells and tallies now; empty and 0 unless counted. */
  values: readonly MetricValue[];
  lateEvents: number;
}

export interface UnitDocument {
  /** Times are stored relative to this: the time of the first event that arrived. */
  baseMs: number;
  exposures: UnitExposure[];
  /** Experiments that exposed the unit outside every phase. */
  outside: string[];
  outcomes: OutcomeLog;
  /** Outcomes from before this time have been dropped; -Infinity while none has. */
  floorMs: number;
  /** Too many outcomes to be a person: no outcome is kept any more. */
  hot: boolean;
}

export function emptyDocument(baseMs: number): UnitDocument {
  return {
    baseMs,
    exposures: [],
    outside: [],
    outcomes: new OutcomeLog(baseMs, ""),
    floorMs: -Infinity,
    hot: false,
  };
}

/** In lines no more than one: a list of documents is a text of lines. */
export function encodeDocument(document: UnitDocument, names: Names): string {
  const { baseMs, exposures, outside, outcomes, floorMs, hot } = document;
  const hasFloor = Number.isFinite(floorMs);
  const packed = [
    formatVersion,
    packNumber(baseMs),
    packNatural((hot ? 1 : 0) + (hasFloor ? 2 : 0)),
  ];
  if (hasFloor) packed.push(packNumber(floorMs - baseMs));
  packed.push(packNatural(outside.length));
  for (const experiment of outside) packed.push(packNatural(names.idOf(experiment)));
  packed.push(packNatural(exposures.length));
  for (const exposure of exposures) pushExposure(packed, exposure, { baseMs, names });
  packed.push(outcomes.text);
  // One flat string: what is added piece by piece stays a tree of its pieces for as long as the fold keeps it.
  return packed.join("");
}

/**
 * The number of its assignment twice, or how long that is twice plus one, and that; time, delay, late events;
 * how many metrics, of each its number twice and y, or that plus one and y, d, x.
 */
function pushExposure(
  packed: string[],
  { assignment, timeMs, delayMinutes, lateEvents, values }: UnitExposure,
  { baseMs, names }: { baseMs: number; names: Names },
): void {
  const known = names.idOfAssignment(assignment);
  if (known === undefined)
    packed.push(packNatural(2 * assignment.text.length + 1), assignment.text);
  else packed.push(packNatural(2 * known));
  packed.push(
    packNumber(timeMs - baseMs),
    packNumber(delayMinutes),
    packNatural(lateEvents),
    packNatural(values.length),
  );
  for (const { metric, y, d, x } of values) {
    const id = 2 * names.idOf(metric);
    if (d === 0 && x === 0) packed.push(packNatural(id), packNumber(y));
    else packed.push(packNatural(id + 1), packNumber(y), packNumber(d), packNumber(x));
  }
}

/** Whether it begins like one; what follows is trusted: only `encodeDocument` writes it. */
export function isStoredDocument(text: string): boolean {
  return text.startsWith(formatVersion);
}

/** Throws on what is no document. */
export function decodeDocument(stored: string, names: Names): UnitDocument {
  if (!isStoredDocument(stored)) throw new Error("the document is of another format");
  const packed = new PackedReader(stored, formatVersion.length);
  const baseMs = packed.number();
  const flags = packed.natural();
  const floorMs = flags >= 2 ? baseMs + packed.number() : -Infinity;
  const outside: string[] = [];
  for (let left = packed.natural(); left > 0; left--) outside.push(names.nameOf(packed.natural()));
  const exposures: UnitExposure[] = [];
  for (let left = packed.natural(); left > 0; left--) {
    exposures.push(decodeExposure(packed, baseMs, names));
  }
  const outcomes = new OutcomeLog(baseMs, packed.rest());
  return { baseMs, exposures, outside, outcomes, floorMs, hot: flags % 2 === 1 };
}

function decodeExposure(packed: PackedReader, baseMs: number, names: Names): UnitExposure {
  const known = packed.natural();
  const text = known % 2 === 0 ? names.nameOf(known / 2) : packed.text((known - 1) / 2);
  const assignment = names.assignments.read(text);
  const timeMs = baseMs + packed.number();
  const delayMinutes = packed.number();
  const lateEvents = packed.natural();
  const values: MetricValue[] = [];
  for (let left = packed.natural(); left > 0; left--) {
    const id = packed.natural();
    const metric = names.nameOf(id >> 1);
    const y = packed.number();
    const isPlain = id % 2 === 0;
    values.push({ metric, y, d: isPlain ? 0 : packed.number(), x: isPlain ? 0 : packed.number() });
  }
  return { assignment, timeMs, delayMinutes, values, lateEvents };
}
