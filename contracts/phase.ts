/**
 * A phase of an experiment as CONTROL keeps it: everything that was frozen when it started.
 * Evaluation, counting and analysis all read this and nothing of the authored body, so that an edit cannot change what runs.
 */

import * as z from "zod/mini";
import { countedMetric } from "./counting-plan.ts";
import { futility, spending } from "./experiment.ts";
import { condition, slot, weightedVariant } from "./snapshot.ts";

const phaseMetric = z.object({
  ...countedMetric.shape,
  role: z.enum(["primary", "secondary", "guardrail"]),
  direction: z.enum(["increase", "decrease"]),
  /** Guardrails only. */
  maxRelativeHarm: z.exactOptional(z.number()),
  /** Epoch ms: added, or given another definition, after the phase had started. What was counted until then is without it. */
  addedAtMs: z.exactOptional(z.number()),
});

const watched = z.object({ n: z.number(), mean: z.number() });

/** A guardrail's alarm: the same data never raise it again. */
const breach = z.object({
  metric: z.string(),
  variant: z.string(),
  /** Epoch ms, the clock of the analysis that found it. */
  atMs: z.number(),
  /** Epoch ms, when it was recorded, and the experiment paused unless it was already. */
  recordedAtMs: z.number(),
  /** Epoch ms, a full hour: only units first exposed from then on can raise it again. */
  watchesFromMs: z.number(),
  evidence: z.object({
    alpha: z.number(),
    maxRelativeHarm: z.number(),
    /** Units first exposed from then on were watched; 0: all. */
    watchedFromMs: z.number(),
    control: watched,
    treatment: watched,
    /** Harm beyond the margin, in the metric's unit, and its always-valid interval. */
    excess: z.number(),
    excessInterval: z.tuple([z.number(), z.number()]),
  }),
});

const plan = z.object({
  alpha: z.number(),
  /** What one ledger (primary × treatment) spends: alpha / ledgers. */
  ledgerAlpha: z.number(),
  power: z.number(),
  sides: z.union([z.literal(1), z.literal(2)]),
  spending: spending,
  futility: futility,
  /** What looks decide by; absent: the figures as they are. */
  adjustment: z.exactOptional(z.literal("cuped")),
  /** Units over all variants, as first planned: the information scale. */
  maximumSampleSize: z.number(),
  /** What was planned instead since, oldest first. */
  replanned: z.exactOptional(
    z.array(z.object({ atMs: z.number(), maximumSampleSize: z.number(), blinded: z.boolean() })),
  ),
  looks: z.union([
    /** Information fractions, increasing. */
    z.object({ fractions: z.array(z.number()) }),
    z.object({ every: z.enum(["day", "week"]), count: z.number() }),
  ]),
});

export const phase = z.object({
  phase: z.number(),
  salt: z.string(),
  unit: z.string(),
  control: z.string(),
  variants: z.array(weightedVariant),
  targeting: z.exactOptional(condition),
  layer: z.nullable(z.string()),
  layerSalt: z.string(),
  slots: z.array(slot),
  dimensions: z.array(z.string()),
  excludesEarlierPhases: z.boolean(),
  /** Started after a look: its results do not confirm anything. */
  exploratory: z.boolean(),
  metrics: z.array(phaseMetric),
  plan,
  /** Epoch ms, [start, end): a pause ends an interval, a resume begins one. */
  running: z.array(z.tuple([z.number(), z.nullable(z.number())])),
  /** Epoch ms: the stop that was scheduled when it started. */
  plannedEndMs: z.exactOptional(z.number()),
  /** Alarms of guardrails so far, oldest first. */
  breaches: z.exactOptional(z.array(breach)),
});

export type Phase = z.output<typeof phase>;
export type Breach = z.output<typeof breach>;
export type PhaseMetric = z.output<typeof phaseMetric>;
export type PhasePlan = Phase["plan"];

export const experimentStatuses = ["draft", "running", "paused", "completed", "archived"] as const;

export type ExperimentStatus = (typeof experimentStatuses)[number];
