/** The stock OpenFeature clients against Edgewise, and every answer that they get against OFREP's published contract. */

import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature as ServerFeatures } from "@openfeature/server-sdk";
import { OpenFeature as WebFeatures } from "@openfeature/web-sdk";
import type { Provider } from "@openfeature/web-sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { resultsShape, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";
import { ofrepContract } from "./ofrep-contract.ts";
import { flags } from "./ofrep-flags.ts";

const contract = ofrepContract();
const path = "/ofrep/v1/evaluate/flags";

let system: System;
let server: string;
let client: string;
/** What the clients under test were answered. */
let answers: { url: string; status: number; etag: string | null }[] = [];

beforeAll(async () => {
  system = await startSystem();
  server = await system.newKey("server");
  client = await system.newKey("client");
  for (const body of flags) await post("/api/v1/flags", body);
  await post("/api/v1/metrics", { key: "bought", type: "proportion", event: "buy" });
  await post("/api/v1/experiments", {
    key: "checkout",
    variants: [
      { key: "one", weight: 50, value: "one page", isControl: true },
      { key: "two", weight: 50, value: "two pages" },
    ],
    metrics: { primary: ["bought"] },
    plan: { maximumSampleSize: 1_000, looks: 1 },
  });
  await post("/api/v1/experiments/checkout/start", {});
  await propagated("checkout", "SPLIT");
});
beforeEach(() => {
  answers = [];
});
afterEach(async () => {
  await Promise.all([ServerFeatures.close(), WebFeatures.close()]);
});
afterAll(() => system.destroy());

async function post(to: string, body: object) {
  await system.expectOk(z.unknown(), system.call("POST", to, { body }));
}

async function propagated(flag: string, reason: string): Promise<void> {
  const body = { context: { targetingKey: "probe" }, exposures: false };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await system.call("POST", `${path}/${flag}`, { body, key: server });
    if (z.safeParse(z.object({ reason: z.string() }), answer.body).data?.reason === reason) return;
    if (Date.now() > deadline) throw new Error("did not propagate within a minute");
  }
}

/** As `fetch`; fails on an answer that the contract does not allow. */
async function checkedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const url = input instanceof Request ? input.url : String(input);
  answers.push({ url, status: response.status, etag: response.headers.get("etag") });
  const wrong = contract && (await contract(url, response.clone()));
  if (wrong) throw new Error(`not by the contract: ${wrong}`);
  return response;
}

const headersFor = (key: string): [string, string][] => [["authorization", `Bearer ${key}`]];

async function serverClient(key = server) {
  const options = { baseUrl: system.runner.url, headers: headersFor(key) };
  await ServerFeatures.setProviderAndWait(
    new OFREPProvider({ ...options, fetchImplementation: checkedFetch }),
  );
  return ServerFeatures.getClient();
}

async function webClient(context: Record<string, string>, key = client) {
  await WebFeatures.setContext(context);
  const provider = new OFREPWebProvider({
    baseUrl: system.runner.url,
    headers: headersFor(key),
    cacheMode: "disabled",
    fetchImplementation: checkedFetch,
  });
  // Its declaration was made without `exactOptionalPropertyTypes`.
  await WebFeatures.setProviderAndWait(provider as Provider);
  return WebFeatures.getClient();
}

const call = (
  to: string,
  body: unknown,
  more: { key?: string | null; headers?: Record<string, string> } = {},
) => system.call("POST", to, { body, key: server, ...more });

describe("the stock server client", () => {
  const anna = { targetingKey: "anna", country: "US" };

  test("reads every type, with variant and reason", async () => {
    const features = await serverClient();
    expect(await features.getBooleanDetails("market", false, anna)).toMatchObject({
      value: true,
      variant: "on",
      reason: "TARGETING_MATCH",
    });
    expect(await features.getBooleanDetails("banner", true, anna)).toMatchObject({
      value: false,
      variant: "off",
      reason: "STATIC",
    });
    expect(await features.getStringValue("colour", "none", anna)).toBe("#00f");
    expect(await features.getNumberValue("limit", 0, anna)).toBe(10);
    expect(await features.getNumberValue("ratio", 0, anna)).toBe(0.5);
    expect(await features.getObjectValue("theme", {}, anna)).toEqual({ dark: true, sizes: [1, 2] });
  });

  test("reads DEFAULT where no rule matches", async () => {
    const features = await serverClient();
    const details = await features.getBooleanDetails("market", true, { targetingKey: "anna" });
    expect(details).toMatchObject({ value: false, variant: "off", reason: "DEFAULT" });
  });

  test("reads the experiment in the metadata", async () => {
    const features = await serverClient();
    const details = await features.getStringDetails("checkout", "none", anna);
    expect(details).toMatchObject({
      reason: "SPLIT",
      flagMetadata: { experiment: "checkout", phase: 1, variant: details.variant },
    });
  });

  test("keeps its default for what is disabled, unless there is an off variant", async () => {
    const features = await serverClient();
    expect(await features.getBooleanValue("ended", true, anna)).toBe(true);
    expect(await features.getBooleanDetails("stopped", true, anna)).toMatchObject({
      value: false,
      reason: "DISABLED",
    });
  });

  test.each([
    ["an unknown flag", "unknown", "FLAG_NOT_FOUND"],
    ["a flag of another type", "colour", "TYPE_MISMATCH"],
  ])("keeps its default for %s", async (_case, flag, errorCode) => {
    const features = await serverClient();
    const details = await features.getBooleanDetails(flag, true, anna);
    expect(details).toMatchObject({ value: true, reason: "ERROR", errorCode });
  });

  test("learns that the targeting key is missing only where it was needed", async () => {
    const features = await serverClient();
    const missing = await features.getBooleanDetails("split", false, {});
    expect(missing).toMatchObject({ value: false, errorCode: "TARGETING_KEY_MISSING" });
    const matched = await features.getBooleanDetails("split", false, { country: "NZ" });
    expect(matched).toMatchObject({ value: true, reason: "TARGETING_MATCH" });
  });

  test("keeps its default when its key is refused", async () => {
    const features = await serverClient("ew_server_unknown");
    const details = await features.getBooleanDetails("market", false, anna);
    expect(details).toMatchObject({ value: false, reason: "ERROR" });
    expect(answers).toMatchObject([{ status: 401 }]);
  });
});

describe("the stock web client", () => {
  test("reads all flags from one bulk answer", async () => {
    const features = await webClient({ targetingKey: "ben", country: "US" });
    expect(features.getBooleanDetails("market", false)).toMatchObject({
      value: true,
      variant: "on",
      reason: "TARGETING_MATCH",
    });
    expect(features.getStringValue("colour", "none")).toBe("#00f");
    expect(features.getNumberValue("limit", 0)).toBe(10);
    expect(features.getNumberValue("ratio", 0)).toBe(0.5);
    expect(features.getObjectValue("theme", {})).toEqual({ dark: true, sizes: [1, 2] });
    expect(features.getBooleanDetails("ended", true)).toMatchObject({
      value: true,
      reason: "DISABLED",
    });
    expect(features.getBooleanDetails("unknown", true)).toMatchObject({
      value: true,
      errorCode: "FLAG_NOT_FOUND",
    });
    expect(features.getBooleanDetails("colour", true)).toMatchObject({
      value: true,
      errorCode: "TYPE_MISMATCH",
    });
    expect(features.getStringDetails("checkout", "none").flagMetadata).toMatchObject({
      experiment: "checkout",
      phase: 1,
      unitKind: "targetingKey",
    });
    expect(answers).toHaveLength(1);
  });

  test("learns flag by flag that the targeting key is missing", async () => {
    const features = await webClient({ country: "US" });
    expect(features.getBooleanDetails("split", false).errorCode).toBe("TARGETING_KEY_MISSING");
    expect(features.getBooleanValue("market", false)).toBe(true);
  });

  test("gets other flags for another context, and 304 for the same", async () => {
    const features = await webClient({ targetingKey: "ben", country: "US" });
    await WebFeatures.setContext({ targetingKey: "ben", country: "DE" });
    expect(features.getBooleanValue("market", true)).toBe(false);
    await WebFeatures.setContext({ country: "DE", targetingKey: "ben" });
    expect(features.getBooleanValue("market", true)).toBe(false);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 304]);
  });

  test("fails to start with a key that is refused", async () => {
    await expect(webClient({ targetingKey: "ben" }, "ew_client_unknown")).rejects.toThrow();
    expect(answers).toMatchObject([{ status: 401 }]);
  });
});

test.skipIf(contract === null)("the contract refuses what it does not allow", async () => {
  const findings = async (status: number, body: object) =>
    await contract?.(`${system.runner.url}${path}/market`, Response.json(body, { status }));
  const right = { key: "market", value: true, variant: "on", reason: "DEFAULT" };
  expect(await findings(200, right)).toBeNull();
  expect(await findings(200, { ...right, reason: "ERROR" })).toContain("/reason");
  expect(await findings(200, { ...right, key: 1 })).toContain("/key");
  expect(await findings(404, { key: "market", errorCode: "GENERAL" })).toContain("/errorCode");
  expect(await findings(418, right)).toBe("the contract has no 418");
});

describe("a bulk answer's tag", () => {
  const context = { targetingKey: "cleo", plan: { tier: 1, name: "free" } };
  const tagged = async (body: object) => {
    const { status, headers } = await call(path, body);
    expect(status).toBe(200);
    return headers.get("etag") ?? "none";
  };
  const again = (etag: string, query = "", body: object = { context }) =>
    call(`${path}${query}`, body, { headers: { "if-none-match": etag } });

  test("covers the whole context, whatever the order of its keys", async () => {
    const etag = await tagged({ context });
    const turned = { context: { plan: { name: "free", tier: 1 }, targetingKey: "cleo" } };
    expect(await again(etag, "", turned)).toMatchObject({ status: 304, body: "" });
    for (const other of [
      { targetingKey: "cleo", plan: { tier: 2, name: "free" } },
      { targetingKey: "cleo", unread: 1, plan: context.plan },
      { targetingKey: "dora", plan: context.plan },
    ]) {
      expect((await again(etag, "", { context: other })).status).toBe(200);
    }
  });

  test("is compared weakly, and among others", async () => {
    const etag = await tagged({ context });
    expect((await again(`"other", W/${etag}`)).status).toBe(304);
    expect((await again(`"other"`)).status).toBe(200);
  });

  test("is not held against a client that was told of another configuration", async () => {
    const etag = await tagged({ context });
    expect((await again(etag, "?flagConfigEtag=another")).status).toBe(200);
    expect((await again(etag, "?flagConfigLastModified=1771622898")).status).toBe(200);
    const { headers, status } = await again(etag);
    expect(status).toBe(304);
    expect(headers.get("etag")).toBe(etag);
    const version = headers.get("x-edgewise-version") ?? "none";
    expect((await again(etag, `?flagConfigEtag=${version}`)).status).toBe(304);
  });

  test("is another for another environment", async () => {
    const headers = { "x-edgewise-environment": "other/production" };
    const other = await call(path, { context }, { key: system.adminKey, headers });
    expect(other.headers.get("etag")).not.toBe(await tagged({ context }));
  });

  test("can be read by pages", async () => {
    const origin = "https://shop.example";
    const answer = await call(path, { context }, { key: client, headers: { origin } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-expose-headers")).toContain("etag");
    const preflight = await system.call("OPTIONS", path, { key: null, headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("if-none-match");
  });
});

describe("what is wrong with a request", () => {
  const context = { targetingKey: "eve" };
  const deep = `{"context": {"targetingKey": "eve", "deep": ${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
  const wrong: [string, unknown, number, string][] = [
    ["no JSON", "{", 400, "PARSE_ERROR"],
    ["no body", "", 400, "PARSE_ERROR"],
    ["an array", [], 400, "PARSE_ERROR"],
    ["no context", {}, 400, "INVALID_CONTEXT"],
    ["a context that is no object", { context: "eve" }, 400, "INVALID_CONTEXT"],
    ["a context that is an array", { context: [] }, 400, "INVALID_CONTEXT"],
    ["a body that is too large", { context, x: "x".repeat(300_000) }, 400, "GENERAL"],
  ];
  const check = async (to: string, body: unknown, status: number) => {
    const response = await checkedFetch(`${system.runner.url}${to}`, {
      method: "POST",
      // A body that is too large is not read to its end: its connection serves no other request.
      headers: { authorization: `Bearer ${server}`, connection: "close" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    expect(response.status).toBe(status);
    expect(response.headers.has("x-request-id")).toBe(status >= 400);
    return (await response.json()) as object;
  };

  test.each(wrong)("is told for one flag: %s", async (_case, body, status, errorCode) => {
    expect(await check(`${path}/market`, body, status)).toMatchObject({ key: "market", errorCode });
  });
  test.each(wrong)("is told for all flags: %s", async (_case, body, status, errorCode) => {
    expect(await check(path, body, status)).toMatchObject({ errorCode });
  });

  test("does not include fields that are for others", async () => {
    await check(path, { context, later: 1 }, 200);
  });

  test.each(["unknown", "__proto__", "a%2Fb", "a/b", "%E2%82%AC"])(
    "is that flag %s is not there",
    async (key) => {
      const failure = { key: decodeURIComponent(key), errorCode: "FLAG_NOT_FOUND" };
      expect(await check(`${path}/${key}`, { context }, 404)).toMatchObject(failure);
    },
  );

  test("is the missing targeting key, only for the flags that needed it", async () => {
    const failure = { key: "split", errorCode: "TARGETING_KEY_MISSING" };
    expect(await check(`${path}/split`, { context: {} }, 400)).toMatchObject(failure);
    expect(await check(`${path}/ended`, { context: {} }, 200)).toEqual({
      key: "ended",
      reason: "DISABLED",
    });
  });

  test("is not that a context is deeply nested", async () => {
    await check(`${path}/market`, deep, 200);
    await check(path, deep, 200);
  });

  test("is its key", async () => {
    const known = await call(path, { context }, { key: null, headers: { "x-api-key": server } });
    expect(known.status).toBe(200);
    const unknown = await call(`${path}/market`, { context }, { key: null });
    expect(unknown).toMatchObject({ status: 401, body: { key: "market", errorCode: "GENERAL" } });
    const elsewhere = { "x-edgewise-environment": "other/production" };
    const refused = await call(path, { context }, { headers: elsewhere });
    expect(refused).toMatchObject({ status: 403, body: { errorCode: "GENERAL" } });
  });
});

test("a single evaluation exposes unless it says not to, and a bulk one never does", async () => {
  for (let i = 0; i < 30; i += 1) {
    await call(`${path}/checkout`, { context: { targetingKey: `seen-${i}` } });
    await call(`${path}/checkout?exposures=false`, { context: { targetingKey: `query-${i}` } });
    const context = { targetingKey: `body-${i}` };
    await call(`${path}/checkout`, { context, exposures: false });
    await call(path, { context: { targetingKey: `bulk-${i}` } });
  }
  const unclear = await call(`${path}/checkout?exposures=0`, { context: { targetingKey: "x" } });
  expect(unclear).toMatchObject({ status: 400, body: { errorCode: "GENERAL" } });
  await system.runner.drained();
  await system.runner.tick(new Date(Date.now() + 60_000));
  const results = await system.expectOk(
    resultsShape,
    system.call("GET", "/api/v1/experiments/checkout/results"),
  );
  const { observed } = results.sampleRatio;
  // "anna", who read the flag with the stock server client, and those that were seen.
  expect(Object.values(observed).reduce((sum, n) => sum + n, 0)).toBe(31);
});
