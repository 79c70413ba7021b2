/** One row of a ledger: what a look found, kept with everything it was computed from. Never changed once written. */

import type { Interval } from "../contracts/results.ts";
import type { Reading } from "./readings.ts";

/** Less new information than this, of the plan's total, is none. */
export const leastNewInformation = 1e-4;

export interface LedgerRow {
  metric: string;
  variant: string;
  /** From 1, within the ledger. */
  look: number;
  takenAtMs: number;
  watermarkMs: number;
  informationFraction: number;
  spendingTime: number;
  /** Null: no alpha to spend, the look could not decide. */
  boundary: number | null;
  z: number | null;
  nominalP: number;
  alphaSpent: number;
  crossed: boolean;
  /** All alpha is spent: there is no later look. */
  final: boolean;
  cause: LookCause;
  /** Epoch ms of the wall clock; `takenAtMs` is the analysis' own. */
  recordedAtMs: number;
  analysisVersion: number;
  /** Below it, in the desired direction, going on is futile; null: this look has none. Not binding. */
  futilityBoundary: number | null;
  futile: boolean;
  inputs: LookFigures;
  inference: LookInference;
}

/** By the plan; asked for by a person; or declared to be the last by one, for a reason that has nothing to do with the results. */
export type LookCause = "planned" | "asked" | "declared";

/** A look before anything is said about it. */
export type TakenLook = Omit<LedgerRow, "inference">;

/** What may be said at a look, computed once when it is taken; in the metric's unit. */
export interface LookInference {
  /** The effects that the look's own bound does not reject; excludes 0 exactly when it is reached. */
  repeatedConfidenceInterval: Interval | null;
  /** Smallest level whose design would have rejected by now. */
  sequentialPValue: number;
  /** Of crossing, on either side, at a later look if the effect is as observed; null when there is none. */
  conditionalPower: number | null;
  /** By the stage-wise ordering, where the ledger ends. */
  final: { pValue: number; medianUnbiased: number; confidenceInterval: Interval } | null;
}

/** The figures of a look, as they were then. */
export interface LookFigures {
  /** Matured units over the planned maximum. */
  maturedShare: number;
  effect: number | null;
  standardError: number | null;
  control: Reading;
  treatment: Reading;
  /** By which the covariate was taken off; null or absent: it was not. */
  theta?: number | null;
}
