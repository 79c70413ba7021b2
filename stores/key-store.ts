/**
 * API keys as eval and ingest see them: KV, remembered in the isolate.
 * Hazard: KV is eventually consistent. A new key may take, and a revoked one keep working for, the propagation time
 * (60 s and sometimes more) plus `rememberMs`.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import { LRUCache } from "lru-cache";
import * as z from "zod/mini";
import { apiKey, hashSecret } from "../contracts/api-key.ts";
import type { ApiKey, KeyDirectory } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";

const rememberMs = 30_000;
/** Unknown keys are remembered briefly, so that a flood of them does not become a flood of KV reads. */
const rememberUnknownMs = 5_000;
const kvCacheTtlSeconds = 30;

/** One per isolate: it is the isolate's memory of keys. */
export function keyStore(kv: KVNamespace): KeyDirectory {
  const keys = new LRUCache<string, { key: ApiKey | null }>({ max: 10_000, ttl: rememberMs });
  const environments = new LRUCache<string, string>({ max: 10_000, ttl: rememberMs });
  return {
    async keyOf(secret) {
      const known = keys.get(secret);
      if (known !== undefined) return known.key;
      const stored: unknown = await kv.get(configKeys.apiKey(await hashSecret(secret)), {
        type: "json",
        cacheTtl: kvCacheTtlSeconds,
      });
      const key = stored === null ? null : z.parse(apiKey, stored);
      keys.set(secret, { key }, { ttl: key === null ? rememberUnknownMs : rememberMs });
      return key;
    },
    async environmentOf(name) {
      const known = environments.get(name);
      if (known !== undefined) return known;
      const id = await kv.get(configKeys.environment(name), { cacheTtl: kvCacheTtlSeconds });
      if (id !== null) environments.set(name, id);
      return id;
    },
  };
}
