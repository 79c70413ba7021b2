/** What the audit reads of `GET …/looks`: the ledger, and the phases as they were frozen. */

import * as z from "zod/mini";
import { lookFigures, lookInference } from "../../contracts/look-figures.ts";
import { phase } from "../../contracts/phase.ts";

const number = z.nullable(z.number());
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
  inputs: lookFigures,
  inference: lookInference,
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
