/** A page with the stock OpenFeature web client and the exposure hook: what its visitors saw and did is what the results say. */

import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature } from "@openfeature/web-sdk";
import type { Provider } from "@openfeature/web-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { exposureHook } from "../sdk/openfeature-exposure-hook.ts";
import { resultsShape, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const visitors = 200;
const hourMs = 3_600_000;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await OpenFeature.close();
  await system.destroy();
});

const post = (path: string, body: object, key = system.adminKey) =>
  system.expectOk(z.unknown(), system.call("POST", path, { body, key }));

test("provider and hook in a page end in correct results", async () => {
  const key = await system.newKey("client");
  await post("/api/v1/metrics", {
    key: "bought",
    type: "proportion",
    event: "buy",
    windowHours: 1,
  });
  await post("/api/v1/experiments", {
    key: "checkout",
    variants: [
      { key: "one", weight: 50, value: "1", isControl: true },
      { key: "two", weight: 50, value: "2" },
    ],
    metrics: { primary: ["bought"] },
    plan: { maximumSampleSize: visitors, looks: 1 },
  });
  await post("/api/v1/experiments/checkout/start", {});

  const provider = new OFREPWebProvider({
    baseUrl: system.runner.url,
    headers: [["authorization", `Bearer ${key}`]],
    cacheMode: "disabled",
  });
  // Every fifth request of the hook is lost.
  let posts = 0;
  const hook = exposureHook({
    baseUrl: system.runner.url,
    key,
    fetchImplementation: async (...request) => {
      posts += 1;
      if (posts % 5 === 0) throw new TypeError("lost");
      return await fetch(...request);
    },
  });
  OpenFeature.addHooks(hook);
  await OpenFeature.setContext({ targetingKey: "probe-0" });
  await OpenFeature.setProviderAndWait(provider as Provider);
  const page = OpenFeature.getClient();
  const deadline = Date.now() + 60_000;
  for (let i = 1; provider.flagCache["checkout"] === undefined; i += 1) {
    if (Date.now() > deadline) throw new Error("did not propagate within a minute");
    await OpenFeature.setContext({ targetingKey: `probe-${i}` });
  }

  const seen: Record<string, { n: number; bought: number }> = {
    one: { n: 0, bought: 0 },
    two: { n: 0, bought: 0 },
  };
  const outcomes: object[] = [];
  for (let i = 0; i < visitors; i += 1) {
    const unit = `visitor-${i}`;
    await OpenFeature.setContext({ targetingKey: unit });
    // Every fourth visitor never sees it.
    if (i % 4 === 0) continue;
    const { variant = "none" } = page.getStringDetails("checkout", "none");
    page.getStringDetails("checkout", "none");
    const tally = seen[variant];
    if (tally === undefined) throw new Error(`${unit} got ${variant}`);
    tally.n += 1;
    await hook.settled();
    if (i % 3 > 0) continue;
    tally.bought += 1;
    const timestamp = new Date().toISOString();
    outcomes.push({ type: "outcome", id: unit, name: "buy", unit, timestamp });
  }
  page.getStringDetails("checkout", "none");
  await hook.settled();
  await post("/api/v1/events/batch", { events: outcomes }, key);
  await system.runner.drained();
  await system.runner.tick(new Date(Date.now() + 3 * hourMs));
  const results = await system.expectOk(
    resultsShape,
    system.call("GET", "/api/v1/experiments/checkout/results"),
  );
  const { variants = {} } = results.metrics[0] ?? {};
  const counted = Object.entries(variants).map(([name, { n, sum }]) => [name, { n, bought: sum }]);
  expect(Object.fromEntries(counted)).toEqual(seen);
  expect(results.quality.quarantinedUnits).toBe(0);
});

describe("the hook", () => {
  /** Answers with these statuses, one after the other, and tells the units that it was sent. */
  function hookOf(...statuses: number[]) {
    const requests: string[][] = [];
    const attributes: unknown[] = [];
    const event = z.object({ unit: z.string(), attributes: z.unknown() });
    const body = z.object({ events: z.array(event) });
    const hook = exposureHook({
      baseUrl: "https://edgewise.test",
      key: "ew_client",
      fetchImplementation: async (_input, init) => {
        const { events } = z.parse(body, JSON.parse(init?.body as string));
        requests.push(events.map(({ unit }) => unit));
        attributes.push(...events.map((each) => each.attributes));
        return new Response(null, { status: statuses.shift() ?? 202 });
      },
    });
    const read = async (unit: string, metadata: object = {}) => {
      const assigned = { experiment: "e", phase: 1, variant: "v", unitKind: "targetingKey", unit };
      const flagMetadata = { ...assigned, ...metadata };
      hook.after({}, { flagKey: "e", value: 1, flagMetadata });
      await hook.settled();
    };
    return { read, requests, attributes };
  }

  test("posts once a page for each unit and variant", async () => {
    const { read, requests } = hookOf();
    for (const unit of ["anna", "anna", "ben", "anna"]) await read(unit);
    await read("anna", { variant: "w" });
    expect(requests).toEqual([["anna"], ["ben"], ["anna"]]);
  });

  test("carries along what results are broken down by", async () => {
    const { read, attributes } = hookOf();
    await read("anna", { "dimension.country": "US", "dimension.plan": 2 });
    await read("ben");
    expect(attributes).toEqual([{ country: "US", plan: 2 }, {}]);
  });

  test("posts nothing where no experiment assigned", async () => {
    const { read, requests } = hookOf();
    await read("anna", { experiment: undefined });
    expect(requests).toEqual([]);
  });

  test.each([429, 500, 503])(
    "sends again with the next read what was answered %i",
    async (status) => {
      const { read, requests } = hookOf(status);
      for (const unit of ["anna", "ben", "ben"]) await read(unit);
      expect(requests).toEqual([["anna"], ["anna", "ben"]]);
    },
  );

  test("drops what is refused", async () => {
    const { read, requests } = hookOf(400);
    for (const unit of ["anna", "anna", "ben"]) await read(unit);
    expect(requests).toEqual([["anna"], ["ben"]]);
  });
});
