/**
 * Brings KV in line with CONTROL: one consistent reading, its snapshot and counting plan written under its version,
 * then CONTROL is told, which says whether it has moved on meanwhile. KV cannot refuse an older value: a publisher that was overtaken may
 * have overwritten a newer one, so it marks the environment as lagging before it tries again.
 * What fails here is repaired by the cron, which publishes every environment and key that lags.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import { configKeys } from "../contracts/config-keys.ts";
import type { ApiKey } from "../contracts/api-key.ts";
import { buildCountingPlan, buildSnapshot } from "../control/build-snapshot.ts";
import type { DefinitionStore } from "./definition-store.ts";
import type { EnvironmentStore } from "./environment-store.ts";

const attempts = 5;

export interface Publisher {
  /** Does nothing when KV has it all. Rejects when KV or D1 fails: the environment lags until somebody tries again. */
  publish(environment: string): Promise<void>;
  /** Null removes the key. */
  publishKey(hash: string, key: ApiKey | null): Promise<void>;
}

export function publisher(
  kv: KVNamespace,
  definitions: Pick<DefinitionStore, "state">,
  environments: Pick<EnvironmentStore, "environment" | "environmentPublished" | "keyPublished">,
): Publisher {
  return {
    async publish(id) {
      const environment = await environments.environment(id);
      if (environment === null || environment.publishedVersion >= environment.version) return;
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const state = await definitions.state(id);
        if (state === null) return;
        const metadata = { version: state.version };
        await kv.put(configKeys.counting(id), JSON.stringify(buildCountingPlan(state)), {
          metadata,
        });
        await kv.put(configKeys.snapshot(id), JSON.stringify(buildSnapshot(state)), { metadata });
        if (environment.publishedVersion === 0) {
          await kv.put(configKeys.environment(`${environment.customer}/${environment.name}`), id);
        }
        if (await environments.environmentPublished(id, state.version)) return;
      }
    },

    async publishKey(hash, key) {
      await (key === null
        ? kv.delete(configKeys.apiKey(hash))
        : kv.put(configKeys.apiKey(hash), JSON.stringify(key)));
      await environments.keyPublished(hash, key !== null);
    },
  };
}
