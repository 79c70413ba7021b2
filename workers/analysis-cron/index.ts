/**
 * Composition root of the analysis worker. Every minute the cron repairs KV where it lags CONTROL and queues what is to be done:
 * experiments that need a refresh, notices to deliver, hours of the archive to compact, shards to count anew, and what is old to remove.
 * The queue's consumers do it, so that slow or failing work delays no other.
 */

import type {
  D1Database,
  ExportedHandler,
  KVNamespace,
  Queue,
  R2Bucket,
} from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import type { AnalysisMessage } from "../../contracts/analysis-message.ts";
import { addedMetrics } from "../../stores/added-metrics.ts";
import { queueAnalyses } from "../../stores/analysis-queue.ts";
import { archiveReader } from "../../stores/archive-reader.ts";
import { archiveRetention } from "../../stores/archive-retention.ts";
import { archivedBefore } from "../../stores/archived-experiments.ts";
import { cellRollUp } from "../../stores/cell-roll-up.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { cronRunStore } from "../../stores/cron-runs.ts";
import { currentPlans } from "../../stores/current-plans.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { publisher } from "../../stores/publisher.ts";
import { queueBacklogs } from "../../stores/queue-backlog.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { rebuildDifference } from "../../stores/rebuild-difference.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { scheduledExperiments } from "../../stores/scheduled-experiments.ts";
import { shardRetention } from "../../stores/shard-retention.ts";
import { foldIntoRebuild } from "../../stores/unit-shard.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { planDeliveries } from "./deliver.ts";
import { performAll } from "./perform.ts";
import { planCompactions } from "./plan-compactions.ts";
import { planRebuilds } from "./plan-rebuilds.ts";
import { grouped, planAnalyses } from "./plan.ts";
import { planPurges } from "./purge.ts";
import { repair } from "./repair.ts";
import { planRetirements } from "./retire.ts";
import { planRollUps } from "./roll-up.ts";
import { runSteps } from "./run-steps.ts";
import { planSteps } from "./take-step.ts";
import { watchPipeline } from "./watch-pipeline.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
  ARCHIVE: R2Bucket;
  ANALYSES: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
  /** To see their backlogs. */
  [events: `EVENTS_${number}`]: Queue<string>;
  /** Days; unset or 0 keeps for good. */
  ARCHIVE_RETENTION_DAYS?: number;
  DEAD_LETTER_RETENTION_DAYS?: number;
  EXPERIMENT_RETENTION_DAYS?: number;
  NOTICE_RETENTION_DAYS?: number;
}

function services(env: Env) {
  const definitions = definitionStore(env.CONTROL);
  const environments = environmentStore(env.CONTROL);
  return {
    definitions,
    environments,
    publisher: publisher(env.CONFIG, definitions, environments),
    ledger: ledgerStore(env.CONTROL),
    cells: cellStore(numberedBindings(env, "METRICS_")),
    archive: {
      raw: rawArchive(env.ARCHIVE),
      compactions: compactionStore(env.ARCHIVE),
      retention: archiveRetention(env.ARCHIVE),
    },
    shards: numberedBindings(env, "METRICS_").map(shardServices),
    queue: queueAnalyses.bind(null, env.ANALYSES),
    webhooks: webhookStore(env.CONTROL),
    cronRuns: cronRunStore(env.CONTROL),
    backlogs: () => queueBacklogs(numberedBindings(env, "EVENTS_")),
    send: (request: Request) => fetch(request),
    newId: () => uuid(),
    nowMs: () => Date.now(),
  };
}

/** What is done to one shard besides reading its cells. */
function shardServices(db: D1Database) {
  return {
    rebuilds: rebuildStore(db),
    retention: shardRetention(db),
    cohorts: cellRollUp(db),
    fold: foldIntoRebuild.bind(null, db),
    difference: rebuildDifference.bind(null, db),
  };
}

/** For one batch of messages: a plan is read once in it. */
function batchServices(env: Env) {
  const { shards, ...all } = services(env);
  const plan = currentPlans(all.definitions);
  const shard = (index: number) => {
    const found = shards[index];
    if (!found) throw new Error(`there is no database METRICS_${index}`);
    return found;
  };
  const archive = archiveReader(env.ARCHIVE);
  return {
    ...all,
    rebuilds: { shard, archive, plan, nowMs: () => Date.now() },
    retirements: { shard, plan, archivedBefore: archivedBefore.bind(null, env.CONTROL) },
    rollUps: {
      shard: (index: number) => shard(index).cohorts,
      experiments: (environment: string) => all.definitions.experiments(environment),
    },
  };
}

export default {
  async scheduled({ scheduledTime }, env) {
    const all = services(env);
    const { environments, publisher, ledger, cells, archive, shards, queue, webhooks, nowMs } = all;
    const plan = (name: string, messages: () => Promise<AnalysisMessage[]>) => ({
      name,
      run: async () => queue(await messages()),
    });
    let added: ReturnType<typeof addedMetrics> | undefined;
    const addedOnce = () => (added ??= addedMetrics(env.CONTROL));
    await runSteps(all, [
      { name: "repair", run: () => repair(environments, publisher) },
      plan("analyses", async () => {
        const [started, activity] = await Promise.all([ledger.started(), cells.readActivity()]);
        const inputs = { added: await addedOnce(), asOfMs: scheduledTime };
        return grouped(planAnalyses(started, activity, inputs));
      }),
      plan("steps", async () => {
        const scheduled = await scheduledExperiments(env.CONTROL);
        return planSteps(scheduled, scheduledTime);
      }),
      { name: "pipeline", run: () => watchPipeline(all) },
      plan("deliveries", async () => planDeliveries(await webhooks.due(nowMs()))),
      plan("compactions", () => planCompactions(archive.raw, archive.compactions, scheduledTime)),
      plan("purges", () =>
        planPurges(
          archive.retention,
          {
            events: env.ARCHIVE_RETENTION_DAYS,
            deadLetters: env.DEAD_LETTER_RETENTION_DAYS,
            notices: env.NOTICE_RETENTION_DAYS,
          },
          scheduledTime,
        ),
      ),
      plan("rebuilds", async () =>
        planRebuilds(
          shards.map(({ rebuilds }) => rebuilds),
          {
            added: await addedOnce(),
            asOfMs: scheduledTime,
            nowMs: nowMs(),
            newId: uuid,
          },
        ),
      ),
      plan("retirements", async () =>
        planRetirements(shards.length, env.EXPERIMENT_RETENTION_DAYS, scheduledTime),
      ),
      plan("roll-ups", async () => planRollUps(shards.length, scheduledTime)),
    ]);
  },

  async queue(batch, env) {
    await performAll(batch.messages, batchServices(env));
  },
} satisfies ExportedHandler<Env, string>;
