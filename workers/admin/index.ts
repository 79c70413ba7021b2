/** Composition root of the admin worker: definitions, lifecycle, keys, audit trail and results. */

import type { D1Database, ExportedHandler, KVNamespace } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import { cellStore } from "../../stores/cell-store.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { numberedBindings } from "../../stores/numbered-bindings.ts";
import { publisher } from "../../stores/publisher.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { adminApp } from "./app.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
  /** For reading. */
  [metrics: `METRICS_${number}`]: D1Database;
}

export default {
  fetch(request, env, context) {
    const definitions = definitionStore(env.CONTROL);
    const environments = environmentStore(env.CONTROL);
    const app = adminApp({
      definitions,
      environments,
      publisher: publisher(env.CONFIG, definitions, environments),
      ledger: ledgerStore(env.CONTROL),
      cells: cellStore(numberedBindings(env, "METRICS_")),
      webhooks: webhookStore(env.CONTROL),
      now: () => new Date(),
      newId: uuid,
      newSecret: () => `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", ""),
      pause: (ms) => scheduler.wait(ms),
    });
    return app.fetch(request, env, context);
  },
} satisfies ExportedHandler<Env>;
