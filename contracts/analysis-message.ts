/**
 * A message of the queue ANALYSES: JSON text, one piece of the work that the cron plans. The clock travels with it.
 * Every task is safe to do twice, and at the same time as another.
 */

import * as z from "zod/mini";
import { rebuildMessage } from "./rebuild-message.ts";
import { retireMessage } from "./retire-message.ts";
import { rollUpMessage } from "./roll-up-message.ts";

const refresh = z.object({
  v: z.literal(1),
  /** Read an experiment's cells, take the look that is due, store the answer. */
  task: z.literal("refresh"),
  environment: z.string(),
  experiment: z.string(),
  asOfMs: z.number(),
});

const refreshMany = z.object({
  v: z.literal(1),
  /** As `refresh`, several at once: what fails of them is refreshed alone. */
  task: z.literal("refresh-many"),
  environment: z.string(),
  experiments: z.array(z.string()),
  asOfMs: z.number(),
});

const compact = z.object({
  v: z.literal(1),
  /** Turn a group of raw archive objects into Parquet. */
  task: z.literal("compact"),
  date: z.string(),
  hour: z.string(),
  shard: z.number(),
  /** Of the hour's compaction plan. */
  group: z.string(),
});

const purge = z.object({
  v: z.literal(1),
  /** Remove archive objects under `{prefix}date=…` of days before `before`. */
  task: z.literal("purge"),
  prefix: z.string(),
  before: z.string(),
});

const purgeNotices = z.object({
  v: z.literal(1),
  /** Remove notices of before that ISO instant that are delivered or given up. */
  task: z.literal("purge-notices"),
  before: z.string(),
});

const step = z.object({
  v: z.literal(1),
  /** Take the step of an experiment's schedule that is due. */
  task: z.literal("step"),
  environment: z.string(),
  experiment: z.string(),
  asOfMs: z.number(),
});

const deliver = z.object({
  v: z.literal(1),
  /** Send a notice to a webhook. */
  task: z.literal("deliver"),
  notice: z.string(),
  webhook: z.string(),
  /** Before this one: an attempt is made once. */
  attempts: z.number(),
});

export const analysisMessage = z.discriminatedUnion("task", [
  refresh,
  refreshMany,
  compact,
  purge,
  purgeNotices,
  deliver,
  step,
  rebuildMessage,
  retireMessage,
  rollUpMessage,
]);

export type AnalysisMessage = z.output<typeof analysisMessage>;
export type RefreshMessage = z.output<typeof refresh>;
export type RefreshManyMessage = z.output<typeof refreshMany>;
export type CompactMessage = z.output<typeof compact>;
export type PurgeMessage = z.output<typeof purge>;
export type PurgeNoticesMessage = z.output<typeof purgeNotices>;
export type StepMessage = z.output<typeof step>;
export type DeliverMessage = z.output<typeof deliver>;
