/** The parts of a results answer that look into dimensions: for reading, never deciding. What does not apply is null. */

import type { Interval } from "./interval.ts";

/** One dimension of the first exposure. */
export interface DimensionResult {
  dimension: string;
  balance: Balance;
  /** Those with most units; the others are in `balance` alone. */
  segments: Segment[];
  /** Metrics of which the effect within segments contradicts the effect overall (Simpson 1951). */
  paradoxes: Paradox[];
}

/** Whether variants have the same mix of a dimension's values, and each value the planned shares of variants. */
export interface Balance {
  /** χ² of independence between variant and value; null with fewer than two values that it holds for. */
  pValue: number | null;
  values: BalanceValue[];
}

export interface BalanceValue {
  value: string;
  observed: Record<string, number>;
  /** χ² against the planned shares; null when some expected count is below 5. */
  pValue: number | null;
  /** Holm, over the values of the dimension. */
  adjustedPValue: number | null;
}

export interface Segment {
  value: string;
  units: Record<string, number>;
  comparisons: SegmentComparison[];
}

/** *Current* data, by fixed-sample methods. */
export interface SegmentComparison {
  metric: string;
  variant: string;
  lift: number | null;
  relativeLift: number | null;
  pValue: number | null;
  /** Benjamini–Hochberg over every segment, metric and treatment of the answer. */
  adjustedPValue: number | null;
  confidenceInterval: Interval | null;
}

export interface Paradox {
  metric: string;
  variant: string;
  overall: number;
  /** Within segments, weighted by their units. */
  stratified: number;
}

/** Where units arrive in other shares than planned: what to look at first. */
export interface Suspect {
  /** Of the exposure, "source" or "sdk" for how it came, or "day" (UTC, of first exposure). */
  dimension: string;
  value: string;
  observed: Record<string, number>;
  pValue: number;
  /** Holm, over the values of the dimension. */
  adjustedPValue: number;
}
