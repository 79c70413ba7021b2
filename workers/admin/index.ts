/** Composition root of the admin worker: definitions, lifecycle, keys, audit trail and results. */

import type { D1Database, ExportedHandler, KVNamespace } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { publisher } from "../../stores/publisher.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { adminApp } from "./app.ts";

export interface Env {
  CONTROL: D1Database;
  CONFIG: KVNamespace;
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
      webhooks: webhookStore(env.CONTROL),
      now: () => new Date(),
      newId: uuid,
      newSecret: () => `${crypto.randomUUID()}${crypto.randomUUID()}`.replaceAll("-", ""),
      pause: (ms) => scheduler.wait(ms),
    });
    return app.fetch(request, env, context);
  },
} satisfies ExportedHandler<Env>;
