/**
 * What a shard remembers of one unit: its exposures with what each contributes to the cells, and its recent outcomes.
 * Stored as one compact JSON array, mostly of numbers, because a batch reads and writes tens of thousands of them,
 * and every byte is paid for in pages that they are spread over. Names are those of the shard's dictionary.
 * The stored form outlives deployments: it begins with its format's version.
 */

import { hash32 } from "../core/index.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { Names } from "./names.ts";

/** Why a unit is in the population of a phase, or why not. Stored by position: append only. */
const standings = ["counted", "bot", "hot", "earlier-phase", "quarantined"] as const;

/** Above any number of standings, for good. */
const mostStandings = 8;

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
  formatVersion: 2,
  baseMs: number,
  /** Numbers, but for values of dimensions that have none. */
  exposures: (number | string)[][],
  outside: number[],
  outcomes: number[],
  /** Null stands for -Infinity. */
  floorMs: number | null,
  hot: 0 | 1,
];

export const outcomeWidth = 5;

export interface KnownOutcome {
  nameId: number;
  timeMs: number;
  value: number;
  delayMinutes: number;
}

export function emptyDocument(baseMs: number): UnitDocument {
  return {
    baseMs,
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

export function outcomeHashes({ outcomes }: UnitDocument): number[] {
  return outcomes.filter((_, i) => i % outcomeWidth === 0);
}

export function pushOutcome(document: UnitDocument, hash: number, outcome: KnownOutcome): void {
  const { nameId, timeMs, value, delayMinutes } = outcome;
  document.outcomes.push(hash, nameId, timeMs - document.baseMs, value, delayMinutes);
}

/** Each outcome in the order of arrival. */
export function forEachOutcome(
  { outcomes, baseMs }: Pick<UnitDocument, "outcomes" | "baseMs">,
  visit: (nameId: number, timeMs: number, value: number, delayMinutes: number) => void,
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

export function encodeDocument(document: UnitDocument, names: Names): string {
  const { baseMs, outcomes, floorMs, hot } = document;
  const stored: StoredDocument = [
    2,
    baseMs,
    document.exposures.map((exposure) => encodeExposure(exposure, baseMs, names)),
    document.outside.map((experiment) => names.idOf(experiment)),
    outcomes,
    Number.isFinite(floorMs) ? floorMs : null,
    hot ? 1 : 0,
  ];
  return JSON.stringify(stored);
}

/**
 * experiment, phase, time, delay, variant; standing and late events in one number; of a quarantined unit its second variant;
 * how many dimensions, name and value of each; of each metric its number twice and y, or that plus one and y, d, x.
 */
function encodeExposure(exposure: UnitExposure, baseMs: number, names: Names): (number | string)[] {
  const { standing, secondVariant, lateEvents, dimensions } = exposure;
  const encoded: (number | string)[] = [
    names.idOf(exposure.experiment),
    exposure.phase,
    exposure.timeMs - baseMs,
    exposure.delayMinutes,
    names.idOf(exposure.variant),
    lateEvents * mostStandings + standings.indexOf(standing),
  ];
  if (standing === "quarantined") encoded.push(names.idOf(secondVariant ?? ""));
  encoded.push(dimensions.length);
  for (const { dimension, value } of dimensions) {
    encoded.push(names.idOf(dimension), names.idOfValue(value) ?? value);
  }
  for (const { metric, y, d, x } of exposure.values) {
    const id = 2 * names.idOf(metric);
    if (d === 0 && x === 0) encoded.push(id, y);
    else encoded.push(id + 1, y, d, x);
  }
  return encoded;
}

/** Checks the version, and trusts what follows: only `encodeDocument` writes it. */
export function isStoredDocument(value: unknown): value is StoredDocument {
  return Array.isArray(value) && value[0] === 2 && value.length === 7;
}

export function decodeDocument(stored: StoredDocument, names: Names): UnitDocument {
  const [, baseMs, exposures, outside, outcomes, floorMs, hot] = stored;
  return {
    baseMs,
    exposures: exposures.map((encoded) => decodeExposure(encoded, baseMs, names)),
    outside: outside.map((id) => names.nameOf(id)),
    outcomes: [...outcomes],
    floorMs: floorMs ?? -Infinity,
    hot: hot === 1,
  };
}

function decodeExposure(
  encoded: readonly (number | string)[],
  baseMs: number,
  names: Names,
): UnitExposure {
  let at = 0;
  const number = () => Number(encoded[at++]);
  const name = () => names.nameOf(number());
  const value = () => {
    const given = encoded[at++];
    return typeof given === "number" ? names.nameOf(given) : (given ?? "");
  };
  const experiment = name();
  const phase = number();
  const timeMs = baseMs + number();
  const delayMinutes = number();
  const variant = name();
  const state = number();
  const standing = standings[state % mostStandings] ?? "counted";
  const second = standing === "quarantined" ? { secondVariant: name() } : null;
  const dimensions: DimensionValue[] = [];
  for (let left = number(); left > 0; left--)
    dimensions.push({ dimension: name(), value: value() });
  const values: MetricValue[] = [];
  while (at < encoded.length) {
    const id = number();
    const [metric, y] = [names.nameOf(id >> 1), number()];
    values.push(id % 2 === 0 ? { metric, y, d: 0, x: 0 } : { metric, y, d: number(), x: number() });
  }
  return {
    experiment,
    phase,
    timeMs,
    delayMinutes,
    variant,
    dimensions,
    standing,
    ...second,
    values,
    lateEvents: Math.floor(state / mostStandings),
  };
}
