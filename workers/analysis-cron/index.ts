/**
 * Composition root of the analysis worker. Every minute the cron repairs KV where it lags CONTROL and queues what is to be done:
 * experiments that need a refresh, hours of the archive to compact, days of it to remove. The queue's consumers do it,
 * so that slow or failing work delays no other.
 */

import type {
  D1Database,
  ExportedHandler,
  KVNamespace,
  Queue,
  R2Bucket,
} from "@cloudflare/workers-types";
import { queueAnalyses } from "../../stores/analysis-queue.ts";
import { archiveRetention } from "../../stores/archive-retention.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { publisher } from "../../stores/publisher.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { performAll } from "./perform.ts";
import { planCompactions } from "./plan-compactions.ts";
import { planAnalyses } from "./plan.ts";
import { planPurges } from "./purge.ts";
import { repair } from "./repair.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
  ARCHIVE: R2Bucket;
  ANALYSES: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
  /** Days; unset or 0 keeps for good. */
  ARCHIVE_RETENTION_DAYS?: number;
  DEAD_LETTER_RETENTION_DAYS?: number;
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
    queue: queueAnalyses.bind(null, env.ANALYSES),
  };
}

export default {
  async scheduled({ scheduledTime }, env) {
    const { environments, publisher, ledger, cells, archive, queue } = services(env);
    await repair(environments, publisher);
    const [started, activity] = await Promise.all([ledger.started(), cells.readActivity()]);
    await queue(planAnalyses(started, activity, scheduledTime));
    await queue(await planCompactions(archive.raw, archive.compactions, scheduledTime));
    const retention = {
      events: env.ARCHIVE_RETENTION_DAYS,
      deadLetters: env.DEAD_LETTER_RETENTION_DAYS,
    };
    await queue(await planPurges(archive.retention, retention, scheduledTime));
  },

  async queue(batch, env) {
    await performAll(batch.messages, services(env));
  },
} satisfies ExportedHandler<Env, string>;
