/**
 * The nouns of counting: events as they travel, and the plan that says what counts.
 * Times are epoch milliseconds throughout. Both shapes outlive a deployment (queues, archive, KV): see contracts/.
 */

import type { Json } from "../core/types.ts";

/** Who sent an event: a trusted server, a public client key, an import of past data, or an Edgewise worker itself. */
export type Source = "server" | "client" | "import" | "edge";

export interface ExposureEvent {
  type: "exposure";
  experiment: string;
  /** Absent: the phase at `timeMs`. */
  phase?: number;
  variant: string;
  /** Unit kind: the attribute that is the unit. */
  kind: string;
  unit: string;
  timeMs: number;
  source: Source;
  /** The software through which the unit met the variant, as it names itself; else what answered it. */
  sdk?: string;
  attributes?: { [name: string]: Json };
  /** Recognised as automated traffic: the unit is excluded from its population. */
  bot?: true;
}

export interface OutcomeEvent {
  type: "outcome";
  /** Unique within its unit; a second outcome with the same id is ignored, the first wins. */
  id: string;
  name: string;
  kind: string;
  unit: string;
  /** 1 when absent. */
  value?: number;
  timeMs: number;
  source: Source;
  properties?: { [name: string]: Json };
}

export type CountedEvent = ExposureEvent | OutcomeEvent;

/** What is counted for the health report, by name: "rejected:…", "refused-events", "dropped-exposures". At least once. */
export interface Counts {
  [name: string]: number;
}

export type Aggregation = "any" | "count" | "sum" | "max";

/** How one metric reads outcomes; frozen for an experiment when its phase starts. */
export interface MetricDefinition {
  key: string;
  type: "proportion" | "mean" | "ratio" | "retention";
  event: string;
  aggregation: Aggregation;
  /** Ratio only: what is divided by, per unit. */
  denominator?: { event: string; aggregation: Aggregation };
  /** Values of a unit above this count as this. */
  cap?: number;
  /** Retention only: the unit returned within day N, [N × 24 h, (N + 1) × 24 h) after first exposure. */
  returnDays?: number;
  /** Covariate: the same reading of outcomes before first exposure. */
  covariateLookbackDays?: number;
}

/** A metric of one experiment with the window in force there. */
export interface CountedMetric extends MetricDefinition {
  /** A unit's outcomes count from its first exposure until this much later. */
  windowMs: number;
}

export interface CountedPhase {
  phase: number;
  variants: string[];
  /** When it assigned: [start, end); null end is still running. A pause ends an interval, a resume begins one. */
  running: [startMs: number, endMs: number | null][];
  /** True: units exposed in an earlier phase are left out of this one. False after a reshuffle. */
  excludesEarlierPhases: boolean;
  metrics: CountedMetric[];
}

export interface CountedExperiment {
  key: string;
  /** Unit kind. */
  unit: string;
  /** Attributes of the first exposure by which cells are broken down. */
  dimensions: string[];
  phases: CountedPhase[];
}

/** What counts in one environment. KV `counting/{environmentId}`, published beside the snapshot under the same version. */
export interface CountingPlan {
  formatVersion: 1;
  environment: string;
  version: number;
  /** Names of the outcomes that some metric of the environment reads; others go to the archive alone. */
  outcomes: string[];
  /** Every experiment that was ever started and is not archived. */
  experiments: CountedExperiment[];
}

/** The sums over the units of one cell; n is the population's. y: the metric (a ratio's numerator), d: its denominator, x: its covariate. */
export interface CellSums {
  y: number;
  yy: number;
  d: number;
  dd: number;
  yd: number;
  x: number;
  xx: number;
  xy: number;
}
