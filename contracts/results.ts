/** What `GET /api/v1/experiments/{key}/results` answers. What does not apply is null, never a made-up number. */

import type { Interval } from "./interval.ts";
import type { ExperimentStatus } from "./phase.ts";
import type { DimensionResult, Suspect } from "./segments.ts";

export type { Interval } from "./interval.ts";

export interface Results {
  experiment: string;
  phase: number;
  status: ExperimentStatus;
  /** Started after a look, or planned anew with the effect in view: confirms nothing. */
  exploratory: boolean;
  /** When it was computed; ISO-8601, as all instants here. */
  asOf: string;
  lastEventAt: string | null;
  sampleRatio: SampleRatioResult;
  quality: {
    quarantinedUnits: number;
    botExposures: number;
    lateEvents: number;
    /** Units exposed only outside every phase: before the start, after a stop, or under a phase that there is not. */
    outsidePhaseUnits: number;
  };
  design: {
    alpha: number;
    sides: 1 | 2;
    spending: unknown;
    maximumSampleSize: number;
    /** Planned instead since, for units from then on; null: nothing else was. */
    replannedSampleSize: number | null;
    /** By what looks decide. */
    adjustment: "none" | "cuped";
    /** As planned; the looks that were taken are with each comparison. */
    looks: { look: number; informationFraction: number; boundary: number | null }[];
  };
  metrics: MetricResult[];
  /** By the standing dimensions, for reading. */
  dimensions: DimensionResult[];
  recommendation: Recommendation;
}

export interface SampleRatioResult {
  observed: Record<string, number>;
  expected: Record<string, number>;
  /** χ², for the reader. */
  statistic: number | null;
  degreesOfFreedom: number;
  pValue: number | null;
  /** Natural logarithm of the largest e-value so far: what the alarm goes by, valid however often it is read. */
  logEvidence: number;
  mismatch: boolean;
  /** Values and days in which shares differ, the least likely first; a hint where to look, also before there is a mismatch. */
  suspects: Suspect[];
}

export interface MetricResult {
  metric: string;
  role: "primary" | "secondary" | "guardrail";
  type: "proportion" | "mean" | "ratio" | "retention";
  variants: Record<string, VariantResult>;
  comparisons: ComparisonResult[];
}

export interface VariantResult {
  n: number;
  mean: number | null;
  variance: number | null;
  sum: number;
}

/** Treatment against control. The top level is *current* data by fixed-sample methods; only `sequential` decides. */
export interface ComparisonResult {
  variant: string;
  basis: "fixed-sample";
  /** True unless a look was taken on exactly these data. */
  betweenLooks: boolean;
  /** Why there is no estimate, in one sentence; null where there is one. */
  withheld: string | null;
  lift: number | null;
  relativeLift: number | null;
  standardError: number | null;
  statistic: number | null;
  pValue: number | null;
  /** Primaries: Bonferroni over the ledgers. Secondaries: Benjamini–Hochberg within the variant. Guardrails: null. */
  adjustedPValue: number | null;
  confidenceInterval: Interval | null;
  relativeConfidenceInterval: Interval | null;
  cuped: CupedResult | null;
  /** Primaries only; frozen at the last look. */
  sequential: SequentialResult | null;
  /** Guardrails only: on matured units, valid at every refresh. */
  alwaysValid: { pValue: number; confidenceSequence: Interval } | null;
  /** Guardrails only. */
  guardrail: GuardrailResult | null;
  bayesian: { probabilityBetter: number; expectedLoss: number } | null;
}

export interface GuardrailResult {
  /** Of the control's mean; what is allowed in the undesired direction. */
  maxRelativeHarm: number;
  /** Harm beyond that, in the metric's unit, always valid: above 0 it alarms, a margin is kept when all of it is below 0. */
  excessSequence: Interval | null;
  /** In this phase, oldest first. */
  alarms: { at: string; excess: number; excessSequence: Interval; watchedAgainFrom: string }[];
  /** Whether it lets a treatment ship. */
  passes: boolean;
}

export interface CupedResult {
  theta: number;
  varianceReduction: number;
  lift: number;
  standardError: number;
  pValue: number;
  confidenceInterval: Interval;
}

export interface SequentialResult {
  looks: LookResult[];
  repeatedConfidenceInterval: Interval | null;
  sequentialPValue: number | null;
  crossed: boolean;
  /** Of crossing at a later look if the effect is as observed. */
  conditionalPower: number | null;
  /** Once the ledger is closed. */
  final: { pValue: number; medianUnbiased: number; confidenceInterval: Interval } | null;
}

export interface LookResult {
  look: number;
  takenAt: string;
  informationFraction: number;
  z: number | null;
  /** Null: no alpha to spend, the look could not decide. */
  boundary: number | null;
  nominalP: number;
  /** Cumulative, of this ledger's share. */
  alphaSpent: number;
  crossed: boolean;
  /** Null: the plan has no futility bound, or this look none. Not binding. */
  futilityBoundary: number | null;
  futile: boolean;
}

export interface Recommendation extends Verdict {
  /** What there is to say on each treatment. */
  byVariant: Verdict[];
}

export interface Verdict {
  action: "continue" | "ship" | "revert" | "stop-futility" | "investigate";
  variant: string | null;
  because: string;
}
