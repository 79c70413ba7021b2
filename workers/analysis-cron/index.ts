/**
 * Composition root of the analysis worker. Every minute the cron repairs KV where it lags CONTROL and queues what is to be done:
 * experiments that need a refresh, hours of the archive to compact, shards to count anew, and what is old to remove.
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
import { queueAnalyses } from "../../stores/analysis-queue.ts";
import { archiveReader } from "../../stores/archive-reader.ts";
import { archiveRetention } from "../../stores/archive-retention.ts";
import { archivedBefore } from "../../stores/archived-experiments.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { currentPlans } from "../../stores/current-plans.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { publisher } from "../../stores/publisher.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { rebuildDifference } from "../../stores/rebuild-difference.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { shardRetention } from "../../stores/shard-retention.ts";
import { foldIntoRebuild } from "../../stores/unit-shard.ts";
import { performAll } from "./perform.ts";
import { planCompactions } from "./plan-compactions.ts";
import { planRebuilds } from "./plan-rebuilds.ts";
import { planAnalyses } from "./plan.ts";
import { planPurges } from "./purge.ts";
import { repair } from "./repair.ts";
import { planRetirements } from "./retire.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
  ARCHIVE: R2Bucket;
  ANALYSES: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
  /** Days; unset or 0 keeps for good. */
  ARCHIVE_RETENTION_DAYS?: number;
  DEAD_LETTER_RETENTION_DAYS?: number;
  EXPERIMENT_RETENTION_DAYS?: number;
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
    newId: uuid,
    nowMs: () => Date.now(),
  };
}

/** What is done to one shard besides reading its cells. */
function shardServices(db: D1Database) {
  return {
    rebuilds: rebuildStore(db),
    retention: shardRetention(db),
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
  };
}

export default {
  async scheduled({ scheduledTime }, env) {
    const { environments, publisher, ledger, cells, archive, shards, queue } = services(env);
    await repair(environments, publisher);
    const [started, activity] = await Promise.all([ledger.started(), cells.readActivity()]);
    await queue(planAnalyses(started, activity, scheduledTime));
    await queue(await planCompactions(archive.raw, archive.compactions, scheduledTime));
    const retention = {
      events: env.ARCHIVE_RETENTION_DAYS,
      deadLetters: env.DEAD_LETTER_RETENTION_DAYS,
    };
    await queue(await planPurges(archive.retention, retention, scheduledTime));
    await queue(
      await planRebuilds(
        shards.map(({ rebuilds }) => rebuilds),
        { asOfMs: scheduledTime, nowMs: Date.now(), newId: uuid },
      ),
    );
    const { EXPERIMENT_RETENTION_DAYS: days } = env;
    await queue(planRetirements(shards.length, days, scheduledTime));
  },

  async queue(batch, env) {
    await performAll(batch.messages, batchServices(env));
  },
} satisfies ExportedHandler<Env, string>;
