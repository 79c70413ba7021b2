import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { hashSecret } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import { metricNamed, newEnvironment, requestOf } from "../test/control-database.ts";
import { definitionStore } from "./definition-store.ts";
import { environmentStore } from "./environment-store.ts";
import { publisher } from "./publisher.ts";
import { repair } from "../workers/analysis-cron/repair.ts";

const store = environmentStore(env.CONTROL);
const definitions = definitionStore(env.CONTROL);

let id: string;
let keys = 0;
beforeEach(async () => {
  id = await newEnvironment(env.CONTROL);
});

async function newKey(more: { origins?: string[] } = {}) {
  keys += 1;
  const secret = `ew_client_secret_${keys}`;
  const hash = await hashSecret(secret);
  const key = { id: `key-${keys}`, kind: "client", ...more } as const;
  await store.addKey(requestOf(id), { ...key, name: "shop", hash });
  return { secret, hash, key: { v: 1, environment: id, ...key } as const };
}

test("an environment is found by customer/environment, and by nothing else", async () => {
  expect(await store.environmentOf(`acme/${id}`)).toBe(id);
  for (const name of [id, `other/${id}`, `acme/${id}/more`, "", "/", "acme/%"]) {
    expect(await store.environmentOf(name)).toBeNull();
  }
});

describe("keys", () => {
  test("are found by their secret, with their origins, and listed without it", async () => {
    const { secret, hash, key } = await newKey({ origins: ["https://shop.example"] });
    expect(await store.keyOf(secret)).toEqual(key);
    expect(await store.keyOf(`${secret}x`)).toBeNull();
    const listed = JSON.stringify(await store.keys(id));
    expect(listed).toContain("https://shop.example");
    expect(listed).not.toContain(hash);
    expect(await store.keys(await newEnvironment(env.CONTROL))).toEqual([]);
  });

  test("are refused at once when revoked, and revoked once, by their own environment", async () => {
    const { secret, hash, key } = await newKey();
    expect(await store.revokeKey(requestOf(await newEnvironment(env.CONTROL)), key.id)).toBeNull();
    expect(await store.revokeKey(requestOf(id), key.id)).toBe(hash);
    expect(await store.keyOf(secret)).toBeNull();
    expect(await store.revokeKey(requestOf(id), key.id)).toBeNull();
  });

  test("made and revoked are in the audit log, each under a version of its own, and tell no hash", async () => {
    const { hash, key } = await newKey();
    await store.revokeKey(requestOf(id), key.id);
    const entries = await store.audit(id, 10);
    expect(entries).toMatchObject([
      { action: "revoke", entity: "key", entityKey: key.id },
      { action: "create", entity: "key", entityKey: key.id },
    ]);
    expect(entries[0]?.version).toBe((entries[1]?.version ?? 0) + 1);
    expect((await store.environment(id))?.version).toBe(entries[0]?.version);
    expect(JSON.stringify(entries)).not.toContain(hash);
  });

  test("that KV does not hold as they are get there by the cron, and out again", async () => {
    const { hash, key } = await newKey();
    const publishing = publisher(env.CONFIG, definitions, store);
    await repair(store, publishing);
    expect(await env.CONFIG.get(configKeys.apiKey(hash), "json")).toEqual(key);
    await store.revokeKey(requestOf(id), key.id);
    await repair(store, publishing);
    expect(await env.CONFIG.get(configKeys.apiKey(hash))).toBeNull();
    expect(await store.unpublishedKeys()).toEqual([]);
  });

  test("revoked while an older publish puts them into KV are taken out by the next cron", async () => {
    const { hash, key } = await newKey();
    const slow = Object.create(env.CONFIG, {
      put: {
        value: async (...put: Parameters<KVNamespace["put"]>) => {
          await store.revokeKey(requestOf(id), key.id);
          await publisher(env.CONFIG, definitions, store).publishKey(hash, null);
          await env.CONFIG.put(...put);
        },
      },
    }) as KVNamespace;
    await publisher(slow, definitions, store).publishKey(hash, key);
    expect(await store.unpublishedKeys()).toEqual([{ hash, key: null }]);
    await repair(store, publisher(env.CONFIG, definitions, store));
    expect(await env.CONFIG.get(configKeys.apiKey(hash))).toBeNull();
  });
});

test("an environment lags until its own version is published; an older one does not count", async () => {
  await definitions.change(requestOf(id), metricNamed("a"));
  expect(await store.environmentPublished(id, 1)).toBe(false);
  expect(await store.unpublishedEnvironments()).toContain(id);
  expect(await store.environmentPublished(id, 2)).toBe(true);
  expect(await store.unpublishedEnvironments()).not.toContain(id);
  expect(await store.environmentPublished("no-such", 1)).toBe(false);
});

test("the audit trail is newest first, in pages, and of its environment alone", async () => {
  for (const key of ["a", "b", "c"]) await definitions.change(requestOf(id), metricNamed(key));
  const other = await newEnvironment(env.CONTROL);
  await definitions.change(requestOf(other), metricNamed("d"));
  const keysOf = async (...page: [number, number?]) =>
    (await store.audit(id, ...page)).map(({ entityKey }) => entityKey);
  expect(await keysOf(10)).toEqual(["c", "b", "a"]);
  expect(await keysOf(2)).toEqual(["c", "b"]);
  expect(await keysOf(2, 3)).toEqual(["a"]);
});
