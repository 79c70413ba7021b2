/**
 * The nouns of evaluation: what a snapshot says and what an evaluation answers.
 * These shapes are published to KV, served by `GET /api/v1/config` and read by every runtime;
 * a change that breaks old readers comes under a new `formatVersion`.
 */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A condition in the MongoDB-style language (see `matches`). */
export type Condition = JsonObject;

/** Attributes by name. A unit is one of them; `targetingKey` unless a rule names another. */
export type Context = { [attribute: string]: unknown };

export type FlagType = "boolean" | "string" | "number" | "object";

export interface Variant {
  key: string;
  value: Json;
}

/** One part of a split; weights are basis points (10000 = 100 %) and may sum to less than 10000. */
export interface WeightedVariant {
  variant: string;
  weightBasisPoints: number;
}

export interface ServeRule {
  when?: Condition;
  serve: string;
}

export interface SplitRule {
  when?: Condition;
  /** The attribute that is the unit. */
  unit: string;
  /** Share of units that reach the split at all, by `bucket(flag.salt + ":rollout", unit)`; all when absent. */
  rolloutBasisPoints?: number;
  split: WeightedVariant[];
}

export interface ExperimentRule {
  when?: Condition;
  experiment: string;
}

export type Rule = ServeRule | SplitRule | ExperimentRule;

export interface Prerequisite {
  flag: string;
  /** The prerequisite is met when that flag serves one of these variants. */
  variants: string[];
}

export interface Flag {
  key: string;
  type: FlagType;
  variants: Variant[];
  defaultVariant: string;
  /** Served when the flag is disabled or a prerequisite is not met; without it there is no value. */
  offVariant?: string;
  enabled: boolean;
  salt: string;
  /** Unit ids (values of `targetingKey`) by the variant they always get. */
  overrides?: { [variant: string]: string[] };
  prerequisites?: Prerequisite[];
  rules: Rule[];
}

/** Buckets `[start, end)` of 0…9999. Slots are only ever appended, never moved. */
export type Slot = [start: number, end: number];

/** A running experiment: only those are in a snapshot. Its variants are variants of the flag whose rule names it. */
export interface Experiment {
  key: string;
  hashVersion: 1;
  /** The phase that assigns now, from 1. */
  phase: number;
  /** Layer 2: which variant. */
  salt: string;
  unit: string;
  control: string;
  /** In declared order; sums to 10000. */
  variants: WeightedVariant[];
  targeting?: Condition;
  /** Layer 1: a layer's key, or null for an implicit layer of its own. */
  layer: string | null;
  /** Salt of layer 1: the layer's, or the experiment's id. */
  layerSalt: string;
  slots: Slot[];
  /** Attributes that an exposure carries along, for breaking results down. */
  dimensions?: string[];
  /** Epoch milliseconds; nothing is assigned before `startAt` or from `endAt` on. */
  startAt?: number;
  endAt?: number;
}

/** Keeps a share of units out of all experiments of the environment, or of one layer. */
export interface Holdout {
  key: string;
  salt: string;
  unit: string;
  basisPoints: number;
  /** Null: every experiment of the environment. */
  layer: string | null;
}

/** A saved list that `$inGroup` and `$notInGroup` look an attribute up in. */
export interface Segment {
  key: string;
  values: Json[];
}

/** Everything that evaluation needs of one environment. KV `snapshot/{environmentId}`. */
export interface Snapshot {
  formatVersion: 1;
  environment: string;
  version: number;
  flags: Flag[];
  experiments: Experiment[];
  holdouts: Holdout[];
  segments: Segment[];
}

/** OpenFeature's resolution reasons. */
export type Reason =
  | "STATIC"
  | "DEFAULT"
  | "TARGETING_MATCH"
  | "SPLIT"
  | "DISABLED"
  | "STALE"
  | "ERROR";

/** OpenFeature's error codes, those that an evaluation can give. */
export type EvaluationErrorCode =
  | "FLAG_NOT_FOUND"
  | "TARGETING_KEY_MISSING"
  | "INVALID_CONTEXT"
  | "GENERAL";

/** That a unit met its variant: what is to be sent once whoever evaluated shows the value. */
export interface Exposure {
  experiment: string;
  phase: number;
  variant: string;
  /** The attribute that is the unit. */
  kind: string;
  unit: string;
}

export interface Evaluation {
  flag: string;
  /** Absent when there is none to serve (disabled without off variant, error): the caller's default stands. */
  value?: Json;
  variant?: string;
  reason: Reason;
  errorCode?: EvaluationErrorCode;
  errorMessage?: string;
  /** The experiment that assigned, when one did. */
  exposure?: Exposure;
}
