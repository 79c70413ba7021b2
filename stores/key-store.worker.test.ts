import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hashSecret } from "../contracts/api-key.ts";
import type { ApiKey } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import { keyStore } from "./key-store.ts";

const secret = "ew_server_of_the_key_store";
const key: ApiKey = { v: 1, id: "k", kind: "server", environment: "e" };

/** The real namespace, which counts its reads and can be made to fail; a clock; what goes on after the answers. */
function parts() {
  const watched = { reads: 0, down: false, nowMs: 0 };
  const background: Promise<unknown>[] = [];
  const kv = {
    get: async (...asked: Parameters<KVNamespace["get"]>) => {
      watched.reads += 1;
      if (watched.down) throw new Error("KV is down");
      return await env.CONFIG.get(...asked);
    },
  } as unknown as KVNamespace;
  const keys = keyStore(kv, () => watched.nowMs);
  return {
    watched,
    keyAt: (nowMs: number, asked = secret) => {
      watched.nowMs = nowMs;
      return keys.keyOf(asked, (work) => background.push(work));
    },
    waitingKeyAt: (nowMs: number) => {
      watched.nowMs = nowMs;
      return keys.keyOf(secret);
    },
    settled: () => Promise.all(background),
  };
}

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await env.CONFIG.put(configKeys.apiKey(await hashSecret(secret)), JSON.stringify(key));
});
afterEach(() => {
  vi.restoreAllMocks();
});

const revoke = async () => env.CONFIG.delete(configKeys.apiKey(await hashSecret(secret)));

test("a known key is not read again for 30 seconds, then once in the background", async () => {
  const { watched, keyAt, settled } = parts();
  for (let nowMs = 0; nowMs < 30_000; nowMs += 100) expect(await keyAt(nowMs)).toEqual(key);
  expect(watched.reads).toBe(1);
  for (let i = 0; i < 50; i++) expect(await keyAt(30_000)).toEqual(key);
  await settled();
  expect(watched.reads).toBe(2);
});

test("a revoked key is refused as soon as the isolate has looked again", async () => {
  const { keyAt, settled } = parts();
  await keyAt(0);
  await revoke();
  expect(await keyAt(30_000)).toEqual(key);
  await settled();
  expect(await keyAt(30_001)).toBeNull();
});

test("a key that nobody used for a minute is looked up before it is let in again", async () => {
  const { keyAt } = parts();
  await keyAt(0);
  await revoke();
  expect(await keyAt(60_000)).toBeNull();
});

test("without a background the lookup is waited for", async () => {
  const { waitingKeyAt } = parts();
  await waitingKeyAt(0);
  await revoke();
  expect(await waitingKeyAt(30_000)).toBeNull();
});

test("while KV is down a known key goes on working, and KV is asked again every 5 seconds", async () => {
  const { watched, keyAt, settled } = parts();
  await keyAt(0);
  watched.down = true;
  for (let nowMs = 30_000; nowMs < 130_000; nowMs += 1_000) {
    expect(await keyAt(nowMs)).toEqual(key);
    await settled();
  }
  expect(watched.reads).toBe(1 + 20);
});

test("while KV is down a key that is not known yet is neither refused nor let in", async () => {
  const { watched, keyAt } = parts();
  watched.down = true;
  await expect(keyAt(0)).rejects.toThrow("KV is down");
});

test("that a key is unknown is remembered for 5 seconds", async () => {
  const { watched, keyAt } = parts();
  for (let nowMs = 0; nowMs < 5_000; nowMs += 100) expect(await keyAt(nowMs, "ew_no")).toBeNull();
  expect(watched.reads).toBe(1);
  expect(await keyAt(5_000, "ew_no")).toBeNull();
  expect(watched.reads).toBe(2);
});
