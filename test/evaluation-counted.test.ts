/** What evaluation exposes is counted where it belongs: in its own environment, and for whom a server asked, whoever asked. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { resultsShape, startSystem } from "./harness.ts";
import type { Call, System } from "./harness.ts";

const ours = {};
const theirs = { "x-edgewise-environment": "other/production" };
const googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

let system: System;
let ourKey: string;
let theirKey: string;

const post = (path: string, body: object, headers: Record<string, string>) =>
  system.expectOk(
    z.looseObject({}),
    system.call("POST", `/api/v1/${path}`, { body, headers, key: system.adminKey }),
  );

/** The same keys, salt and units everywhere; only the values tell environments apart. */
async function startCheckout(
  values: [string, string],
  headers: Record<string, string>,
): Promise<void> {
  const metric = { key: "bought", type: "proportion", event: "buy", windowHours: 1 };
  await post("metrics", metric, headers);
  await post(
    "experiments",
    {
      key: "checkout",
      salt: "the same everywhere",
      targeting: { country: "DE" },
      dimensions: ["country"],
      variants: values.map((value, i) => ({
        key: i === 0 ? "control" : "treatment",
        weight: 50,
        value,
        isControl: i === 0,
      })),
      metrics: { primary: ["bought"] },
      plan: { maximumSampleSize: 1_000 },
    },
    headers,
  );
  await post("experiments/checkout/start", {}, headers);
}

const served = z.object({
  version: z.number(),
  flags: z.object({
    checkout: z.object({ variant: z.string(), value: z.string(), reason: z.string() }),
  }),
});

const evaluate = (key: string, targetingKey: string, more: Call = {}) =>
  system.expectOk(
    served,
    system.call("POST", "/api/v1/evaluate", {
      key,
      body: { context: { targetingKey, country: "DE" }, flags: ["checkout"] },
      ...more,
    }),
  );

/** Units and buyers of each variant, as the results of the environment tell. */
async function counted(headers: Record<string, string>) {
  await system.runner.drained();
  await system.runner.tick(new Date());
  const { metrics, sampleRatio } = await system.expectOk(
    resultsShape,
    system.call("GET", "/api/v1/experiments/checkout/results", { headers }),
  );
  const figures = Object.entries(metrics[0]?.variants ?? {});
  return {
    exposed: sampleRatio.observed,
    bought: Object.fromEntries(figures.map(([variant, { sum }]) => [variant, sum])),
  };
}

beforeAll(async () => {
  system = await startSystem();
  await startCheckout(["our old", "our new"], ours);
  await startCheckout(["their old", "their new"], theirs);
  ourKey = await system.newKey("server");
  const made = post("keys", { kind: "server", name: "theirs" }, theirs);
  theirKey = z.parse(z.object({ secret: z.string() }), await made).secret;
});
afterAll(() => system.destroy());

const units = Array.from({ length: 60 }, (_, i) => `unit-${i}`);
/** How many of these units got each variant. */
const tally = (of: readonly string[], variants: ReadonlyMap<string, string>) => {
  const counts = { control: 0, treatment: 0 };
  for (const unit of of) {
    if (variants.get(unit) === "treatment") counts.treatment += 1;
    else counts.control += 1;
  }
  return counts;
};

describe("two environments with the same experiment key, salt and units", () => {
  const variants = new Map<string, string>();

  test("share no answer, though each unit gets the variant of the same name", async () => {
    for (const [i, unit] of units.entries()) {
      const { flags } = await evaluate(ourKey, unit);
      const { variant, value } = flags.checkout;
      expect(value).toBe(variant === "control" ? "our old" : "our new");
      variants.set(unit, variant);
      // A third of them visits the others, too.
      if (i % 3 !== 0) continue;
      const there = (await evaluate(theirKey, unit)).flags.checkout;
      expect(there.variant).toBe(variant);
      expect(there.value).toBe(variant === "control" ? "their old" : "their new");
    }
    expect(new Set(variants.values()).size).toBe(2);
  });

  test("share no snapshot: each key gets its own", async () => {
    const config = z.object({
      environment: z.string(),
      flags: z.array(z.object({ variants: z.array(z.object({ value: z.string() })) })),
    });
    const [one, other] = await Promise.all(
      [ourKey, theirKey].map((key) =>
        system.expectOk(config, system.call("GET", "/api/v1/config", { key })),
      ),
    );
    expect(one?.environment).not.toBe(other?.environment);
    expect(one?.flags[0]?.variants[0]?.value).toBe("our old");
    expect(other?.flags[0]?.variants[0]?.value).toBe("their old");
  });

  test("share no key: each works for its own environment, and no header lends it to another", async () => {
    for (const key of [ourKey, theirKey]) {
      for (const headers of [theirs, { "x-edgewise-environment": "default/production" }]) {
        const asked = { key, headers, body: { context: {}, flags: ["checkout"] } };
        expect((await system.call("POST", "/api/v1/evaluate", asked)).status).toBe(403);
      }
    }
  });

  test("share no cell: each counts its own units and what they did there", async () => {
    const timestamp = new Date().toISOString();
    const buyers = units.filter((_, i) => i % 2 === 0);
    const bought = (unit: string) => ({
      type: "outcome",
      id: `order-${unit}`,
      name: "buy",
      unit,
      timestamp,
    });
    const sent = await system.call("POST", "/api/v1/events/batch", {
      key: ourKey,
      body: { events: buyers.map(bought) },
    });
    expect(sent.body).toMatchObject({ accepted: buyers.length, rejected: [] });
    const visitors = units.filter((_, i) => i % 3 === 0);
    expect(await counted(ours)).toEqual({
      exposed: tally(units, variants),
      bought: tally(buyers, variants),
    });
    expect(await counted(theirs)).toEqual({
      exposed: tally(visitors, variants),
      bought: { control: 0, treatment: 0 },
    });
  });
});

test("a server's request with a bot's user agent, from another country: the same assignment, and the exposure is counted", async () => {
  const before = await counted(ours);
  const crawled = Array.from({ length: 20 }, (_, i) => `crawled-${i}`);
  const variants = new Map<string, string>();
  for (const unit of crawled) {
    const headers = {
      "user-agent": googlebot,
      "cf-ipcountry": "JP",
      "cf-connecting-ip": "1.1.1.1",
    };
    const strange = (await evaluate(ourKey, unit, { headers })).flags.checkout;
    expect(strange.reason).toBe("SPLIT");
    const body = { context: { targetingKey: unit, country: "DE" }, flags: ["checkout"] };
    const unexposed = { body: { ...body, exposures: false } };
    expect((await evaluate(ourKey, unit, unexposed)).flags.checkout).toEqual(strange);
    variants.set(unit, strange.variant);
  }
  const more = tally(crawled, variants);
  expect((await counted(ours)).exposed).toEqual({
    control: (before.exposed["control"] ?? 0) + more.control,
    treatment: (before.exposed["treatment"] ?? 0) + more.treatment,
  });
});
