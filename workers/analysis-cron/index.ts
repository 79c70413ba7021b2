/**
 * Composition root of the analysis worker. Every minute the cron repairs KV where it lags CONTROL and queues the experiments that need a refresh;
 * the queue's consumers analyse them, so that a slow or failing experiment delays no other.
 */

import type { D1Database, ExportedHandler, KVNamespace, Queue } from "@cloudflare/workers-types";
import { queueAnalyses, readAnalysis } from "../../stores/analysis-queue.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { publisher } from "../../stores/publisher.ts";
import { analyse } from "./analyse.ts";
import { planAnalyses } from "./plan.ts";
import { repair } from "./repair.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
  ANALYSES: Queue<string>;
  [metrics: `METRICS_${number}`]: D1Database;
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
  };
}

export default {
  async scheduled({ scheduledTime }, env) {
    const { environments, publisher, ledger, cells } = services(env);
    await repair(environments, publisher);
    const [started, activity] = await Promise.all([ledger.started(), cells.readActivity()]);
    await queueAnalyses(env.ANALYSES, planAnalyses(started, activity, scheduledTime));
  },

  async queue(batch, env) {
    const { definitions, ledger, cells } = services(env);
    for (const message of batch.messages) {
      try {
        await analyse({ definitions, ledger, cells }, readAnalysis(message.body));
        message.ack();
      } catch (error) {
        console.error(
          JSON.stringify({ event: "analysis-failed", message: message.body, error: String(error) }),
        );
        message.retry();
      }
    }
  },
} satisfies ExportedHandler<Env, string>;
