/** What the audit reads of `GET …/looks`: the ledger, and the phases as they were frozen. */

import * as z from "zod/mini";
import { phase } from "../../contracts/phase.ts";

const number = z.nullable(z.number());
const sums = z.object({
  y: z.number(),
  yy: z.number(),
  d: z.number(),
  dd: z.number(),
  yd: z.number(),
  x: z.number(),
  xx: z.number(),
  xy: z.number(),
});
const reading = z.object({ n: z.number(), sums });
const interval = z.nullable(z.tuple([z.number(), z.number()]));

const row = z.object({
  metric: z.string(),
  variant: z.string(),
  look: z.number(),
  takenAt: z.string(),
  watermark: z.string(),
  recordedAtMs: z.number(),
  cause: z.enum(["planned", "asked", "declared"]),
  analysisVersion: z.number(),
  informationFraction: z.number(),
  spendingTime: z.number(),
  boundary: number,
  z: number,
  nominalP: z.number(),
  alphaSpent: z.number(),
  crossed: z.boolean(),
  final: z.boolean(),
  futilityBoundary: number,
  futile: z.boolean(),
  inputs: z.object({
    maturedShare: z.number(),
    effect: number,
    control: reading,
    treatment: reading,
  }),
  inference: z.object({
    repeatedConfidenceInterval: interval,
    sequentialPValue: z.number(),
    conditionalPower: number,
    final: z.nullable(
      z.object({ pValue: z.number(), medianUnbiased: z.number(), confidenceInterval: interval }),
    ),
  }),
});

export const ledgerAnswer = z.object({
  environment: z.string(),
  experiment: z.string(),
  phase: z.number(),
  phases: z.array(phase),
  looks: z.array(row),
});

export type LedgerAnswer = z.output<typeof ledgerAnswer>;
export type AnsweredRow = z.output<typeof row>;
