/** What `GET /api/v1/experiments/{key}/timeseries` answers: cumulative, by UTC day of first exposure. What does not apply is null. */

import type { Interval } from "./interval.ts";

export interface TimeSeries {
  experiment: string;
  phase: number;
  asOf: string;
  /** One a metric and treatment. */
  series: {
    metric: string;
    role: "primary" | "secondary" | "guardrail";
    variant: string;
    points: TimeSeriesPoint[];
    looks: {
      look: number;
      takenAt: string;
      z: number | null;
      boundary: number | null;
      crossed: boolean;
    }[];
  }[];
}

/** Of the control and the treatment. */
export interface TimeSeriesPoint {
  /** YYYY-MM-DD */
  day: string;
  units: Record<string, number>;
  sums: Record<string, number>;
  lift: number | null;
  relativeLift: number | null;
  /** Fixed-sample. */
  confidenceInterval: Interval | null;
  z: number | null;
}
