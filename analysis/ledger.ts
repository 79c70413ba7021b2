/** One row of a ledger: what a look found, kept with everything it was computed from. Never changed once written. */

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
  inputs: LookFigures;
}

/** The figures of a look, as they were then. */
export interface LookFigures {
  /** Matured units over the planned maximum. */
  maturedShare: number;
  effect: number | null;
  standardError: number | null;
  control: Reading;
  treatment: Reading;
}
