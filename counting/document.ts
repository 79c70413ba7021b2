/**
 * What a shard remembers of one unit: its exposures with what each contributes to the cells, and its recent outcomes.
 * Stored as one compact JSON array, mostly of numbers, because a batch reads and writes tens of thousands of them.
 * The stored form outlives deployments: it begins with its format's version.
 */

import { hash32 } from "../core/index.ts";
import type { DimensionValue } from "./dimensions.ts";

/** Why a unit is in the population of a phase, or why not. Stored by position: append only. */
const standings = ["counted", "bot", "hot", "earlier-phase", "quarantined"] as const;

export type Standing = (typeof standings)[number];

/** What a unit adds to a metric's cells: y (a ratio's numerator), d its denominator, x its covariate. */
export interface MetricValue {
  metric: string;
  y: number;
  d: number;
  x: number;
}

export interface UnitExposure {
  experiment: string;
  phase: number;
  /** The earliest that is known. */
  timeMs: number;
  /** From its time until it was received, in whole minutes. */
  delayMinutes: number;
  variant: string;
  dimensions: readonly DimensionValue[];
  standing: Standing;
  /** The other variant of a quarantined unit. */
  secondVariant?: string;
  /** What is in the cells and tallies now; empty and 0 unless counted. */
  values: readonly MetricValue[];
  lateEvents: number;
}

export interface UnitDocument {
  /** Times are stored relative to this: the time of the first event that arrived. */
  baseMs: number;
  /** Strings that the rest names by their position. */
  names: string[];
  exposures: UnitExposure[];
  /** Experiments that exposed the unit outside every phase. */
  outside: string[];
  /** Five numbers an outcome, see `pushOutcome`. */
  outcomes: number[];
  /** Outcomes from before this time have been dropped; -Infinity while none has. */
  floorMs: number;
  /** Too many outcomes to be a person: no outcome is kept any more. */
  hot: boolean;
}

export type StoredDocument = readonly [
  formatVersion: 1,
  baseMs: number,
  names: string[],
  exposures: number[][],
  outside: number[],
  outcomes: number[],
  /** Null stands for -Infinity. */
  floorMs: number | null,
  hot: 0 | 1,
];

export const outcomeWidth = 5;

export interface KnownOutcome {
  name: string;
  timeMs: number;
  value: number;
  delayMinutes: number;
}

export function emptyDocument(baseMs: number): UnitDocument {
  return {
    baseMs,
    names: [],
    exposures: [],
    outside: [],
    outcomes: [],
    floorMs: -Infinity,
    hot: false,
  };
}

/** 53 bits of an outcome's id: two hashes, because one of 32 bits would lose an outcome in every hundred million. */
export function outcomeHash(id: string): number {
  return hash32(id) * 0x200000 + (hash32(`\u001f${id}`) >>> 11);
}

export function hasOutcome({ outcomes }: UnitDocument, hash: number): boolean {
  for (let i = 0; i < outcomes.length; i += outcomeWidth) if (outcomes[i] === hash) return true;
  return false;
}

export function pushOutcome(document: UnitDocument, hash: number, outcome: KnownOutcome): void {
  const { timeMs, value, delayMinutes } = outcome;
  const name = nameIndex(document.names, outcome.name);
  document.outcomes.push(hash, name, timeMs - document.baseMs, value, delayMinutes);
}

/** Each outcome in the order of arrival; `name` is a position in `document.names`. */
export function forEachOutcome(
  { outcomes, baseMs }: Pick<UnitDocument, "outcomes" | "baseMs">,
  visit: (name: number, timeMs: number, value: number, delayMinutes: number) => void,
): void {
  for (let i = 0; i < outcomes.length; i += outcomeWidth) {
    visit(
      outcomes[i + 1] ?? 0,
      baseMs + (outcomes[i + 2] ?? 0),
      outcomes[i + 3] ?? 0,
      outcomes[i + 4] ?? 0,
    );
  }
}

/** Forgets the outcomes from before `floorMs`, for good. */
export function dropOutcomesBefore(document: UnitDocument, floorMs: number): void {
  const { outcomes, baseMs } = document;
  document.outcomes = outcomes.filter((_, i) => {
    const first = i - (i % outcomeWidth);
    return baseMs + (outcomes[first + 2] ?? 0) >= floorMs;
  });
  document.floorMs = floorMs;
}

function nameIndex(names: string[], name: string): number {
  const known = names.indexOf(name);
  return known === -1 ? names.push(name) - 1 : known;
}

export function encodeDocument(document: UnitDocument): string {
  const { baseMs, names, outcomes, floorMs, hot } = document;
  const stored: StoredDocument = [
    1,
    baseMs,
    names,
    document.exposures.map((exposure) => encodeExposure(exposure, document)),
    document.outside.map((experiment) => nameIndex(names, experiment)),
    outcomes,
    Number.isFinite(floorMs) ? floorMs : null,
    hot ? 1 : 0,
  ];
  return JSON.stringify(stored);
}

function encodeExposure(exposure: UnitExposure, { names, baseMs }: UnitDocument): number[] {
  const { secondVariant } = exposure;
  const numbers = [
    nameIndex(names, exposure.experiment),
    exposure.phase,
    exposure.timeMs - baseMs,
    exposure.delayMinutes,
    nameIndex(names, exposure.variant),
    standings.indexOf(exposure.standing),
    secondVariant === undefined ? -1 : nameIndex(names, secondVariant),
    exposure.lateEvents,
    exposure.dimensions.length,
  ];
  for (const { dimension, value } of exposure.dimensions) {
    numbers.push(nameIndex(names, dimension), nameIndex(names, value));
  }
  for (const { metric, y, d, x } of exposure.values) {
    numbers.push(nameIndex(names, metric), y, d, x);
  }
  return numbers;
}

/** Checks the version, and trusts what follows: only `encodeDocument` writes it. */
export function isStoredDocument(value: unknown): value is StoredDocument {
  return Array.isArray(value) && value[0] === 1 && value.length === 8;
}

export function decodeDocument(stored: StoredDocument): UnitDocument {
  const [, baseMs, names, exposures, outside, outcomes, floorMs, hot] = stored;
  return {
    baseMs,
    names: [...names],
    exposures: exposures.map((numbers) => decodeExposure(numbers, names, baseMs)),
    outside: outside.map((name) => names[name] ?? ""),
    outcomes: [...outcomes],
    floorMs: floorMs ?? -Infinity,
    hot: hot === 1,
  };
}

function decodeExposure(
  numbers: readonly number[],
  names: readonly string[],
  baseMs: number,
): UnitExposure {
  let at = 0;
  const number = () => numbers[at++] ?? 0;
  const name = () => names[number()] ?? "";
  const experiment = name();
  const phase = number();
  const timeMs = baseMs + number();
  const delayMinutes = number();
  const variant = name();
  const standing = standings[number()] ?? "counted";
  const second = names[number()];
  const lateEvents = number();
  const dimensions = Array.from({ length: number() }, () => ({ dimension: name(), value: name() }));
  const values: MetricValue[] = [];
  while (at < numbers.length)
    values.push({ metric: name(), y: number(), d: number(), x: number() });
  return {
    experiment,
    phase,
    timeMs,
    delayMinutes,
    variant,
    dimensions,
    standing,
    ...(second !== undefined && { secondVariant: second }),
    values,
    lateEvents,
  };
}
