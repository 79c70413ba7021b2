/**
 * Brings KV in line with CONTROL: one consistent reading, its snapshot and counting plan written under its version,
 * then a second look, because another publisher may have read later and written sooner.
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
  /** Rejects when KV or D1 fails; nothing is half-published for good, since the cron tries again. */
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
    async publish(environment) {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const state = await definitions.state(environment);
        const before = await environments.environment(environment);
        if (state === null || before === null) return;
        const metadata = { version: state.version };
        await kv.put(configKeys.counting(environment), JSON.stringify(buildCountingPlan(state)), {
          metadata,
        });
        await kv.put(configKeys.snapshot(environment), JSON.stringify(buildSnapshot(state)), {
          metadata,
        });
        await kv.put(configKeys.environment(`${before.customer}/${before.name}`), environment);
        await environments.environmentPublished(environment, state.version);
        const after = await environments.environment(environment);
        if (after === null || after.version === state.version) return;
      }
    },

    async publishKey(hash, key) {
      await (key === null
        ? kv.delete(configKeys.apiKey(hash))
        : kv.put(configKeys.apiKey(hash), JSON.stringify(key)));
      await environments.keyPublished(hash);
    },
  };
}
