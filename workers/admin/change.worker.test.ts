import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { publisher } from "../../stores/publisher.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { at } from "../../test/control-state.ts";
import { adminApp } from "./app.ts";

let environment: string;
let secret: string;
let ids = 0;
const newId = () => `id-${(ids += 1)}`;

beforeEach(async () => {
  environment = await newEnvironment(env.CONTROL);
  secret = `ew_admin_of_${environment}`;
  const key = { id: newId(), kind: "admin", role: "editor", name: "e" } as const;
  const hash = await hashSecret(secret);
  await environmentStore(env.CONTROL).addKey(requestOf(environment), { ...key, hash });
});

/** Creates a layer, over a KV of which so many puts fail. The answer, what KV holds then, and what it holds in the end. */
async function create(failures: number) {
  let left = failures;
  const kv = Object.create(env.CONFIG, {
    put: {
      value: async (...put: Parameters<KVNamespace["put"]>) => {
        if (left > 0) {
          left -= 1;
          throw new Error("429 Too Many Requests");
        }
        await env.CONFIG.put(...put);
      },
    },
  }) as KVNamespace;
  const definitions = definitionStore(env.CONTROL);
  const environments = environmentStore(env.CONTROL);
  let resume = () => {};
  const paused = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const app = adminApp({
    definitions,
    environments,
    publisher: publisher(kv, definitions, environments),
    ledger: ledgerStore(env.CONTROL),
    webhooks: webhookStore(env.CONTROL),
    cells: cellStore([env.METRICS_0]),
    now: () => new Date(at),
    newId,
    newSecret: newId,
    pause: () => paused,
  });
  const context = createExecutionContext();
  const request = new Request("https://admin/api/v1/layers", {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: '{"key":"page"}',
  });
  const { status } = await app.fetch(request, env, context);
  const publishedVersion = async () =>
    (await env.CONFIG.get<{ version: number }>(configKeys.snapshot(environment), "json"))?.version;
  const atOnce = await publishedVersion();
  resume();
  await waitOnExecutionContext(context);
  return { status, atOnce, inTheEnd: await publishedVersion() };
}

// The key made first is version 2.
test("a change is published when it is answered", async () => {
  expect(await create(0)).toEqual({ status: 201, atOnce: 3, inTheEnd: 3 });
});

test("a change that KV does not take is made, and published a second later", async () => {
  expect(await create(1)).toEqual({ status: 201, atOnce: undefined, inTheEnd: 3 });
});

test("a change that KV does not take then, either, is made, and left to the cron", async () => {
  expect(await create(2)).toEqual({ status: 201, atOnce: undefined, inTheEnd: undefined });
  expect(await environmentStore(env.CONTROL).unpublishedEnvironments()).toContain(environment);
});
