/** The public worker's app on real KV, asked in the test's isolate, with two environments and a key of each kind. */

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { hashSecret } from "../contracts/api-key.ts";
import type { ApiKey } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import type { Experiment, Flag, Snapshot } from "../core/index.ts";
import type { ExposureEvent } from "../counting/types.ts";
import { keyStore } from "../stores/key-store.ts";
import { snapshotStore } from "../stores/snapshot-store.ts";
import { evalApp } from "../workers/eval/app.ts";

export const nowMs = Date.UTC(2026, 0, 1);
export const shop = "https://shop.example";
export const googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

const experiment: Experiment = {
  key: "checkout",
  hashVersion: 1,
  phase: 1,
  salt: "s",
  unit: "targetingKey",
  control: "one",
  variants: [
    { variant: "one", weightBasisPoints: 5_000 },
    { variant: "two", weightBasisPoints: 5_000 },
  ],
  layer: null,
  layerSalt: "l",
  slots: [[0, 10_000]],
  dimensions: ["country", "device"],
};
const flag: Flag = {
  key: "checkout",
  type: "string",
  variants: [
    { key: "one", value: "1" },
    { key: "two", value: "2" },
  ],
  defaultVariant: "one",
  enabled: true,
  salt: "f",
  rules: [{ experiment: "checkout" }],
};

export function snapshotOf(environment: string, more: Partial<Experiment> = {}): Snapshot {
  return {
    formatVersion: 1,
    environment,
    version: 7,
    flags: [flag, { ...flag, key: "plain", rules: [] }],
    experiments: [{ ...experiment, ...more }],
    holdouts: [],
    segments: [],
  };
}

const keys: Record<string, ApiKey> = {
  ew_server: { v: 1, id: "s", kind: "server", environment: "e" },
  ew_client: { v: 1, id: "c", kind: "client", environment: "e" },
  ew_shop: { v: 1, id: "o", kind: "client", environment: "e", origins: [shop] },
  ew_other: { v: 1, id: "x", kind: "server", environment: "other" },
};

async function publish(snapshot: Snapshot): Promise<void> {
  await env.CONFIG.put(configKeys.snapshot(snapshot.environment), JSON.stringify(snapshot));
}

interface Given {
  method?: string;
  path?: string;
  secret?: string;
  headers?: Record<string, string>;
  cf?: object;
  body?: unknown;
}

export function appOf({ kv = env.CONFIG, waitSeconds = 0 } = {}) {
  const exposed: { environment: string; exposures: readonly ExposureEvent[] }[] = [];
  const clock = { nowMs };
  const nobody = { fetch: async () => new Response("forwarded", { status: 418 }) } as never;
  const app = evalApp({
    keys: keyStore(kv, () => clock.nowMs),
    rates: { take: () => waitSeconds },
    snapshots: snapshotStore(kv),
    exposures: {
      send: ({ environment }, exposures) => {
        if (exposures.length > 0) exposed.push({ environment, exposures });
      },
    },
    ingest: nobody,
    admin: nobody,
    nowMs: () => clock.nowMs,
  });
  const ask = async (given: Given = {}) => {
    const { method = "POST", path = "/api/v1/evaluate", secret = "ew_server", headers, cf } = given;
    const body = given.body ?? { context: { targetingKey: "u" }, flags: ["checkout"] };
    const request = new Request(`https://edgewise.test${path}`, {
      method,
      headers: { authorization: `Bearer ${secret}`, ...headers },
      ...(method === "POST" && { body: JSON.stringify(body) }),
      ...(cf && { cf: cf as IncomingRequestCfProperties }),
    });
    const context = createExecutionContext();
    const response = await app.fetch(request, {}, context);
    await waitOnExecutionContext(context);
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text.startsWith("{") ? (JSON.parse(text) as { flags: Record<string, object> }) : text,
    };
  };
  return { ask, exposed, clock };
}

/** Keys and snapshots of both environments. */
export async function publishAll(): Promise<void> {
  for (const [secret, key] of Object.entries(keys)) {
    await env.CONFIG.put(configKeys.apiKey(await hashSecret(secret)), JSON.stringify(key));
  }
  await publish(snapshotOf("e"));
  await publish(snapshotOf("other", { salt: "another" }));
}
