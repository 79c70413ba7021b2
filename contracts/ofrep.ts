/** OFREP 0.3 (the OpenFeature Remote Evaluation Protocol): what its clients send and are answered. */

import * as z from "zod/mini";
import type { Json, Reason } from "../core/types.ts";

/** Fields that are not known here are for others. */
export const ofrepBody = z.object({
  context: z.record(z.string(), z.unknown()),
  /** Ours, as in `POST /api/v1/evaluate`; only for a single flag. */
  exposures: z._default(z.boolean(), true),
});

export type OfrepBody = z.output<typeof ofrepBody>;

/** Without a `value` the code's default stands. */
export interface OfrepSuccess {
  key: string;
  reason: Exclude<Reason, "STALE" | "ERROR">;
  value?: Json;
  variant?: string;
  metadata?: OfrepMetadata;
}

/** What a client needs to report the exposure itself, where an experiment assigned. */
export interface OfrepMetadata {
  experiment?: string;
  phase?: number;
  variant?: string;
  /** The attribute that is the unit. */
  unitKind?: string;
  /** Whom it assigned: the client may have another context by the time it shows the value. */
  unit?: string;
  /** What the exposure is to carry along, for breaking results down. */
  [dimension: `dimension.${string}`]: string | number | boolean;
  /** The configuration could not be refreshed: what is served may be older than the propagation bound. */
  stale?: true;
}

export type OfrepErrorCode =
  | "PARSE_ERROR"
  | "TARGETING_KEY_MISSING"
  | "INVALID_CONTEXT"
  | "FLAG_NOT_FOUND"
  | "GENERAL";

export interface OfrepFailure {
  /** Absent when it is not about one flag. */
  key?: string;
  errorCode: OfrepErrorCode;
  errorDetails: string;
}

export type OfrepEvaluation = OfrepSuccess | OfrepFailure;

export interface OfrepBulk {
  flags: OfrepEvaluation[];
  metadata: { version: number };
}
