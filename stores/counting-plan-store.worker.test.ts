import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { configKeys } from "../contracts/config-keys.ts";
import { planOf } from "../test/checkout-events.ts";
import { countingPlanStore } from "./counting-plan-store.ts";

const publish = (version: number) =>
  env.CONFIG.put(configKeys.counting("e"), JSON.stringify({ ...planOf(), version }));

beforeEach(() => env.CONFIG.delete(configKeys.counting("e")));

test("an environment that has published nothing has an empty plan of version 0", async () => {
  const plan = await countingPlanStore(env.CONFIG).get("e", 0);
  expect({ version: plan.version, experiments: plan.experiments.size }).toEqual({
    version: 0,
    experiments: 0,
  });
});

test("a plan is remembered for 10 seconds, and read again at once for who needs a newer one", async () => {
  const plans = countingPlanStore(env.CONFIG);
  await publish(1);
  expect((await plans.get("e", 0)).version).toBe(1);
  await publish(2);
  expect((await plans.get("e", 9_999)).version).toBe(1);
  expect((await plans.getNewer({ environment: "e", version: 1 }, 9_999)).version).toBe(2);
  await publish(3);
  expect((await plans.get("e", 19_999)).version).toBe(3);
});

test("who needs a newer plan makes KV be read at most once a second", async () => {
  const plans = countingPlanStore(env.CONFIG);
  await publish(1);
  await plans.get("e", 0);
  await publish(2);
  expect((await plans.getNewer({ environment: "e", version: 1 }, 999)).version).toBe(1);
  expect((await plans.getNewer({ environment: "e", version: 1 }, 1_000)).version).toBe(2);
});

test.each(["{", '{"formatVersion":2}', "null"])(
  "a corrupt or newer value (%s) keeps the last good plan, and rejects when there is none",
  async (value) => {
    const plans = countingPlanStore(env.CONFIG);
    await publish(4);
    await plans.get("e", 0);
    await env.CONFIG.put(configKeys.counting("e"), value);
    expect((await plans.get("e", 60_000)).version).toBe(4);
    await expect(countingPlanStore(env.CONFIG).get("e", 0)).rejects.toThrow();
  },
);

test("an older version than the one seen does not replace it", async () => {
  const plans = countingPlanStore(env.CONFIG);
  await publish(4);
  await plans.get("e", 0);
  await publish(3);
  expect((await plans.get("e", 60_000)).version).toBe(4);
});

test("while KV fails the last good plan goes on serving; without one it rejects", async () => {
  let isDown = false;
  const kv = Object.create(env.CONFIG, {
    get: {
      value: async (key: string) => {
        if (isDown) throw new Error("KV is down");
        return env.CONFIG.get(key);
      },
    },
  }) as KVNamespace;
  await publish(5);
  const plans = countingPlanStore(kv);
  await plans.get("e", 0);
  isDown = true;
  expect((await plans.get("e", 60_000)).version).toBe(5);
  await expect(plans.get("other", 0)).rejects.toThrow("KV is down");
});
