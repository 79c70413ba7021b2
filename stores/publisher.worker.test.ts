import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { configKeys } from "../contracts/config-keys.ts";
import { countingPlan } from "../contracts/counting-plan.ts";
import { snapshot } from "../contracts/snapshot.ts";
import { definitionOf, startedOf } from "../test/control-state.ts";
import { metricNamed, newEnvironment, requestOf } from "../test/control-database.ts";
import { repair } from "../workers/analysis-cron/repair.ts";
import { definitionStore } from "./definition-store.ts";
import { environmentStore } from "./environment-store.ts";
import { publisher } from "./publisher.ts";

const definitions = definitionStore(env.CONTROL);
const environments = environmentStore(env.CONTROL);
const publishing = publisher(env.CONFIG, definitions, environments);

let id: string;
let changes = 0;
beforeEach(async () => {
  id = await newEnvironment(env.CONTROL);
});

function change() {
  changes += 1;
  return definitions.change(requestOf(id), metricNamed(`metric-${changes}`));
}

const published = async () => {
  const { value, metadata } = await env.CONFIG.getWithMetadata(configKeys.snapshot(id), "json");
  return value === null ? null : { ...z.parse(snapshot, value), metadata };
};
const versions = async () => {
  const found = await environments.environment(id);
  return { version: found?.version, published: found?.publishedVersion };
};

/** KV with something happening before each put: a first publish puts plan, snapshot and name, in this order. */
function interceptedKv(beforePut: (nth: number) => Promise<unknown>): KVNamespace {
  let puts = 0;
  return Object.create(env.CONFIG, {
    put: {
      value: async (...put: Parameters<KVNamespace["put"]>) => {
        puts += 1;
        await beforePut(puts);
        await env.CONFIG.put(...put);
      },
    },
  }) as KVNamespace;
}

const beforeFirstSnapshot = (happen: () => Promise<unknown>) =>
  interceptedKv(async (nth) => (nth === 2 ? happen() : undefined));
const down = interceptedKv(() => Promise.reject(new Error("KV is down")));
const over = (kv: KVNamespace) => publisher(kv, definitions, environments);

test("snapshot, counting plan and name of an environment are written under its version, and CONTROL knows", async () => {
  await definitions.change(requestOf(id), () => ({
    ok: true,
    value: {
      action: "create",
      writes: [
        { entity: "experiment", record: startedOf() },
        { entity: "segment", definition: definitionOf({ key: "staff", values: ["a"] }) },
      ],
      value: null,
    },
  }));
  await publishing.publish(id);
  expect(await published()).toMatchObject({
    environment: id,
    version: 2,
    metadata: { version: 2 },
    experiments: [{ key: "checkout", salt: "fresh" }],
    segments: [{ key: "staff", values: ["a"] }],
  });
  const plan = z.parse(countingPlan, await env.CONFIG.get(configKeys.counting(id), "json"));
  expect(plan).toMatchObject({
    version: 2,
    outcomes: ["purchase"],
    experiments: [{ key: "checkout" }],
  });
  expect(await env.CONFIG.get(configKeys.environment(`acme/${id}`))).toBe(id);
  expect(await versions()).toEqual({ version: 2, published: 2 });
});

test("what is published already is not written again", async () => {
  await publishing.publish(id);
  await expect(over(down).publish(id)).resolves.toBeUndefined();
});

test("a version that comes while publishing is published, too", async () => {
  await over(beforeFirstSnapshot(change)).publish(id);
  expect(await published()).toMatchObject({ version: 2 });
  expect(await versions()).toEqual({ version: 2, published: 2 });
});

describe("an older publisher that is overtaken", () => {
  const overtake = async () => {
    await change();
    await publishing.publish(id);
    expect(await published()).toMatchObject({ version: 2 });
  };

  test("never leaves its older snapshot behind", async () => {
    await over(beforeFirstSnapshot(overtake)).publish(id);
    expect(await published()).toMatchObject({ version: 2 });
    expect(await versions()).toEqual({ version: 2, published: 2 });
  });

  test("and then fails leaves the environment lagging, for the cron to repair", async () => {
    const kv = interceptedKv(async (nth) => {
      if (nth === 2) await overtake();
      if (nth === 4) throw new Error("429 Too Many Requests");
    });
    await expect(over(kv).publish(id)).rejects.toThrow("429");
    expect(await published()).toMatchObject({ version: 1 });
    expect(await versions()).toEqual({ version: 2, published: 0 });
    await repair(environments, publishing);
    expect(await published()).toMatchObject({ version: 2 });
  });
});

test("while KV fails a change stays and its environment lags; the cron publishes it once KV is back", async () => {
  await publishing.publish(id);
  await change();
  await expect(over(down).publish(id)).rejects.toThrow("down");
  expect(await definitions.definitions(id, "metric")).toHaveLength(1);
  await repair(environments, over(down));
  expect(await versions()).toEqual({ version: 2, published: 1 });
  expect(await published()).toMatchObject({ version: 1 });
  await repair(environments, publishing);
  expect(await published()).toMatchObject({ version: 2 });
  expect(await versions()).toEqual({ version: 2, published: 2 });
});
