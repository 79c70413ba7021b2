import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configKeys } from "../contracts/config-keys.ts";
import { evaluate } from "../core/index.ts";
import type { Snapshot } from "../core/index.ts";
import { snapshotStore } from "./snapshot-store.ts";

function snapshotOf(environment: string, version: number, value = "v"): Snapshot {
  const flag = {
    key: "flag",
    type: "string",
    variants: [{ key: "only", value }],
    defaultVariant: "only",
    enabled: true,
    salt: "s",
    rules: [],
  } as const;
  const flags = [{ ...flag, variants: [...flag.variants], rules: [] }];
  return {
    formatVersion: 1,
    environment,
    version,
    flags,
    experiments: [],
    holdouts: [],
    segments: [],
  };
}

const publish = (snapshot: Snapshot) =>
  env.CONFIG.put(configKeys.snapshot(snapshot.environment), JSON.stringify(snapshot), {
    metadata: { version: snapshot.version },
  });

/** The real namespace, which counts its reads, and can be made to fail or to keep its readers waiting. */
function watchedKv() {
  const watched = { reads: 0, down: false, gate: Promise.resolve() };
  const kv = {
    getWithMetadata: async (...asked: Parameters<KVNamespace["getWithMetadata"]>) => {
      watched.reads += 1;
      await watched.gate;
      if (watched.down) throw new Error("KV is down");
      return await env.CONFIG.getWithMetadata(...asked);
    },
  } as unknown as KVNamespace;
  return { kv, watched };
}

function storeOf(kv: KVNamespace) {
  const store = snapshotStore(kv);
  const background: Promise<unknown>[] = [];
  return {
    get: (environment: string, nowMs: number) =>
      store.get(environment, nowMs, (work) => background.push(work)),
    settled: () => Promise.all(background),
  };
}

const logged: unknown[] = [];
beforeEach(() => {
  logged.length = 0;
  vi.spyOn(console, "error").mockImplementation((line) => {
    logged.push(JSON.parse(String(line)));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("no KV read on a warm request", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get } = storeOf(kv);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) await get("e", nowMs);
  expect(watched.reads).toBe(1);
});

test("after 10 seconds the old one is served at once while the new one is read, by one refresh however many ask", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get, settled } = storeOf(kv);
  await get("e", 0);
  await publish(snapshotOf("e", 2));
  const gate = Promise.withResolvers<void>();
  watched.gate = gate.promise;
  for (let i = 0; i < 100; i++) {
    const served = await get("e", 10_000 + i);
    expect([served?.published.version, served?.stale]).toEqual([1, false]);
  }
  expect(watched.reads).toBe(2);
  gate.resolve();
  await settled();
  const served = await get("e", 10_200);
  expect([served?.published.version, served?.stale]).toEqual([2, false]);
});

test("a refresh that does not come back is given up on after 10 seconds", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get } = storeOf(kv);
  await get("e", 0);
  watched.gate = new Promise(() => {});
  await get("e", 10_000);
  await get("e", 19_999);
  expect(watched.reads).toBe(2);
  await get("e", 20_000);
  expect(watched.reads).toBe(3);
});

test("while KV is down the last good one is served, marked stale; once it is back, no longer", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get, settled } = storeOf(kv);
  await get("e", 0);
  watched.down = true;
  expect((await get("e", 10_000))?.stale).toBe(false);
  await settled();
  const served = await get("e", 12_000);
  expect(served).toMatchObject({ stale: true, ageMs: 12_000, published: { version: 1 } });
  watched.down = false;
  await get("e", 20_000);
  await settled();
  expect(await get("e", 20_001)).toMatchObject({ stale: false, ageMs: 1 });
});

test("while KV is down it is asked again every 10 seconds, not at every request", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get, settled } = storeOf(kv);
  await get("e", 0);
  watched.down = true;
  for (let nowMs = 10_000; nowMs < 40_000; nowMs += 100) {
    await get("e", nowMs);
    await settled();
  }
  expect(watched.reads).toBe(4);
});

test("an isolate that was idle for a minute asks KV before it serves", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get, settled } = storeOf(kv);
  await get("e", 0);
  await publish(snapshotOf("e", 2));
  expect(await get("e", 60_000)).toMatchObject({ published: { version: 2 }, ageMs: 0 });
  watched.down = true;
  expect(await get("e", 120_000)).toMatchObject({ stale: true, published: { version: 2 } });
  await settled();
});

test("nobody waits for a KV that does not answer: the last good one is served, or nothing", async () => {
  await publish(snapshotOf("e", 1));
  const { kv, watched } = watchedKv();
  const { get } = storeOf(kv);
  await get("e", 0);
  watched.gate = new Promise(() => {});
  vi.useFakeTimers();
  const idle = get("e", 60_000);
  const cold = get("cold", 60_000).catch(String);
  await vi.advanceTimersByTimeAsync(2_000);
  vi.useRealTimers();
  expect(await idle).toMatchObject({ published: { version: 1 } });
  expect(await cold).toContain("does not answer");
});

test("a cold isolate has nothing to serve while KV is down, and for an environment that published nothing", async () => {
  const { kv, watched } = watchedKv();
  const { get } = storeOf(kv);
  expect(await get("nothing-published", 0)).toBeNull();
  watched.down = true;
  await expect(get("e", 0)).rejects.toThrow("KV is down");
});

const unusable = {
  "no JSON": "{",
  "no snapshot": "null",
  "a newer format": JSON.stringify({ ...snapshotOf("e", 9), formatVersion: 2 }),
  "a snapshot cut short": JSON.stringify(snapshotOf("e", 9)).slice(0, -20),
  "a flag that is none": JSON.stringify({ ...snapshotOf("e", 9), flags: [null] }),
  "another environment's": JSON.stringify(snapshotOf("other", 9)),
};

test.each(Object.entries(unusable))(
  "%s keeps the last good one, marked stale, and raises a counter",
  async (_name, value) => {
    await publish(snapshotOf("e", 3));
    const { get, settled } = storeOf(env.CONFIG);
    await get("e", 0);
    await env.CONFIG.put(configKeys.snapshot("e"), value);
    for (const nowMs of [10_000, 20_000]) {
      await get("e", nowMs);
      await settled();
    }
    expect(await get("e", 20_001)).toMatchObject({ stale: true, published: { version: 3 } });
    expect(logged).toMatchObject([
      { event: "snapshot-refresh-failed", environment: "e", failuresOfIsolate: 1 },
      { event: "snapshot-refresh-failed", servedVersion: 3, failuresOfIsolate: 2 },
    ]);
    await expect(storeOf(env.CONFIG).get("e", 0)).rejects.toThrow();
  },
);

test("a value that is gone keeps the last good one, marked stale", async () => {
  await publish(snapshotOf("e", 3));
  const { get, settled } = storeOf(env.CONFIG);
  await get("e", 0);
  await env.CONFIG.delete(configKeys.snapshot("e"));
  await get("e", 10_000);
  await settled();
  expect(await get("e", 10_001)).toMatchObject({ stale: true, published: { version: 3 } });
});

test("an older version than the one seen does not replace it, and is not stale", async () => {
  await publish(snapshotOf("e", 4));
  const { get, settled } = storeOf(env.CONFIG);
  await get("e", 0);
  await publish(snapshotOf("e", 3));
  await get("e", 10_000);
  await settled();
  expect(await get("e", 10_001)).toMatchObject({ stale: false, published: { version: 4 } });
});

test("1,000 environments in one isolate stay under the bound, each served its own", async () => {
  const names = Array.from({ length: 1_000 }, (_, i) => `environment-${i}`);
  const filler = "x".repeat(40_000);
  const watched = { reads: 0 };
  // Forty megabytes in the real namespace take too long to write.
  const kv = {
    getWithMetadata: async (key: string) => {
      watched.reads += 1;
      const name = key.slice(configKeys.snapshot("").length);
      const value = JSON.stringify(snapshotOf(name, 1, `${name} ${filler}`));
      return { value, metadata: { version: 1 } };
    },
  } as unknown as KVNamespace;
  const { get } = storeOf(kv);
  for (const name of names) {
    const served = await get(name, 0);
    const { value } = evaluate(served?.published.compiled as never, "flag", {});
    expect(value).toBe(`${name} ${filler}`);
  }
  let heldBytes = 0;
  for (const name of names.toReversed()) {
    const before = watched.reads;
    const served = await get(name, 1);
    if (watched.reads > before) break;
    heldBytes += served?.published.text.length ?? 0;
  }
  expect(heldBytes).toBeGreaterThan(9_900_000);
  expect(heldBytes).toBeLessThanOrEqual(10_000_000);
});

test("a snapshot that is larger than the bound is kept all the same, alone", async () => {
  await publish(snapshotOf("small", 1));
  await publish(snapshotOf("large", 1, "x".repeat(10_500_000)));
  const { kv, watched } = watchedKv();
  const { get } = storeOf(kv);
  for (const name of ["small", "large", "large", "large"]) await get(name, 0);
  expect(watched.reads).toBe(2);
  await get("small", 0);
  expect(watched.reads).toBe(3);
});
