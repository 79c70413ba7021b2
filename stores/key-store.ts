/**
 * API keys as eval and ingest see them: KV, remembered in the isolate.
 * Hazard: KV is eventually consistent. A new key may take, and a revoked one keep working for, the propagation time
 * (60 s and sometimes more) plus the minute for which the isolate remembers it.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import { apiKey, hashSecret } from "../contracts/api-key.ts";
import type { KeyDirectory } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import { remembered } from "./remembered.ts";

const kvCacheTtlSeconds = 30;

/** One per isolate: it is the isolate's memory of keys. */
export function keyStore(kv: KVNamespace, nowMs: () => number = Date.now): KeyDirectory {
  return {
    keyOf: remembered(async (secret) => {
      const stored: unknown = await kv.get(configKeys.apiKey(await hashSecret(secret)), {
        type: "json",
        cacheTtl: kvCacheTtlSeconds,
      });
      return stored === null ? null : z.parse(apiKey, stored);
    }, nowMs),
    environmentOf: remembered(
      async (name) => await kv.get(configKeys.environment(name), { cacheTtl: kvCacheTtlSeconds }),
      nowMs,
    ),
  };
}
