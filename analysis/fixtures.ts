/** A phase and readings for the tests of this folder. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type { Reading, ReadingsByVariant } from "./readings.ts";

export const startMs = Date.UTC(2026, 0, 1);

export function metricOf(key: string, more: Partial<PhaseMetric> = {}): PhaseMetric {
  return {
    key,
    type: "proportion",
    event: key,
    aggregation: "any",
    windowMs: 3_600_000,
    role: "primary",
    direction: "increase",
    ...more,
  };
}

/** Two variants of equal weight, five O'Brien–Fleming looks at 10,000 units. */
export function phaseOf(more: Partial<Phase> = {}, plan: Partial<Phase["plan"]> = {}): Phase {
  return {
    phase: 1,
    salt: "s",
    unit: "targetingKey",
    control: "a",
    variants: [
      { variant: "a", weightBasisPoints: 5_000 },
      { variant: "b", weightBasisPoints: 5_000 },
    ],
    layer: null,
    layerSalt: "l",
    slots: [[0, 10_000]],
    dimensions: [],
    excludesEarlierPhases: false,
    exploratory: false,
    metrics: [metricOf("m")],
    running: [[startMs, null]],
    ...more,
    plan: {
      alpha: 0.05,
      ledgerAlpha: 0.05,
      power: 0.8,
      sides: 2,
      spending: "obrien-fleming",
      futility: "none",
      maximumSampleSize: 10_000,
      looks: { fractions: [0.2, 0.4, 0.6, 0.8, 1] },
      ...plan,
    },
  };
}

/** A unit converts or does not: y is the number that did. */
export function converted(n: number, y: number): Reading {
  return { n, sums: { y, yy: y, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 } };
}

/** Of the metric `m`. */
export function matured(readings: Record<string, Reading>): Map<string, ReadingsByVariant> {
  return new Map([["m", new Map(Object.entries(readings))]]);
}
