import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import type { Experiment, Snapshot } from "../../core/index.ts";
import type { ExposureEvent } from "../../counting/types.ts";
import { keyStore } from "../../stores/key-store.ts";
import { snapshotStore } from "../../stores/snapshot-store.ts";
import { ofrepRoutes } from "./ofrep.ts";

const nowMs = Date.UTC(2026, 0, 1);
const secret = "ew_client_of_ofrep";
const experiment: Experiment = {
  key: "checkout",
  hashVersion: 1,
  phase: 2,
  salt: "s",
  unit: "device",
  control: "one",
  variants: [{ variant: "one", weightBasisPoints: 10_000 }],
  layer: null,
  layerSalt: "l",
  slots: [[0, 10_000]],
  dimensions: ["device", "country"],
  endAt: nowMs + 60_000,
};
const snapshot: Snapshot = {
  formatVersion: 1,
  environment: "ofrep",
  version: 7,
  flags: [
    {
      key: "checkout",
      type: "string",
      variants: [
        { key: "one", value: "1" },
        { key: "none", value: "0" },
      ],
      defaultVariant: "none",
      enabled: true,
      salt: "f",
      rules: [{ experiment: "checkout" }],
    },
  ],
  experiments: [experiment],
  holdouts: [],
  segments: [],
};

beforeAll(async () => {
  const key: ApiKey = { v: 1, id: "k", kind: "client", environment: "ofrep" };
  await env.CONFIG.put(configKeys.apiKey(await hashSecret(secret)), JSON.stringify(key));
});

interface Given {
  method?: string;
  path?: string;
  atMs?: number;
  headers?: Record<string, string>;
  waitSeconds?: number;
  snapshots?: ReturnType<typeof snapshotStore>;
  sent?: ExposureEvent[];
}

async function published(value: object = snapshot) {
  await env.CONFIG.put(configKeys.snapshot("ofrep"), JSON.stringify(value));
  return snapshotStore(env.CONFIG);
}

async function ask(given: Given) {
  const {
    method = "POST",
    path = "/checkout",
    atMs = nowMs,
    headers,
    waitSeconds = 0,
    sent = [],
  } = given;
  const snapshots = given.snapshots ?? (await published());
  const routes = ofrepRoutes({
    keys: keyStore(env.CONFIG),
    rates: { take: () => waitSeconds },
    snapshots,
    nowMs: () => atMs,
    exposures: { send: (_decided, exposures) => void sent.push(...exposures) },
  });
  const request = new Request(`https://edgewise.test${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, ...headers },
    ...(method === "POST" && { body: JSON.stringify({ context: { device: "d-1" } }) }),
  });
  const context = createExecutionContext();
  const response = await routes.fetch(request, {}, context);
  await waitOnExecutionContext(context);
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === "" ? null : (JSON.parse(text) as unknown),
  };
}

describe.each(["/checkout", "/"])("a refusal of %s is of OFREP's shape", (path) => {
  const key = path === "/" ? {} : { key: "checkout" };
  const origin = "https://shop.example";

  test("too many requests: 429, and when to ask again", async () => {
    const { status, headers, body } = await ask({ path, waitSeconds: 9, headers: { origin } });
    expect({ status, body }).toMatchObject({ status: 429, body: { ...key, errorCode: "GENERAL" } });
    expect(headers).toMatchObject({
      "retry-after": "9",
      "content-type": "application/json",
      "access-control-allow-origin": origin,
    });
    expect(headers["access-control-expose-headers"]).toContain("retry-after");
  });

  test("nothing to serve from: 503, and when to ask again", async () => {
    await env.CONFIG.delete(configKeys.snapshot("ofrep"));
    const snapshots = snapshotStore(env.CONFIG);
    const { status, headers, body } = await ask({ path, snapshots });
    expect({ status, body }).toMatchObject({ status: 503, body: { ...key, errorCode: "GENERAL" } });
    expect(headers["retry-after"]).toBe("2");
  });

  test("a bug: 500", async () => {
    const snapshots = { get: async () => ({}) as never };
    const { status, headers, body } = await ask({ path, snapshots });
    expect({ status, body }).toMatchObject({ status: 500, body: { errorCode: "GENERAL" } });
    expect(headers).toHaveProperty("x-request-id");
  });
});

test("a flag says which experiment assigned by which kind of unit, and is exposed as the client's", async () => {
  const sent: ExposureEvent[] = [];
  const { body } = await ask({ sent });
  const assigned = { experiment: "checkout", phase: 2, variant: "one" };
  expect(body).toEqual({
    key: "checkout",
    reason: "SPLIT",
    value: "1",
    variant: "one",
    metadata: { ...assigned, unitKind: "device", unit: "d-1", "dimension.device": "d-1" },
  });
  expect(sent).toMatchObject([{ ...assigned, kind: "device", unit: "d-1", source: "client" }]);
});

test("another method is refused in the protocol's form", async () => {
  for (const path of ["/", "/checkout"]) {
    const { status, body } = await ask({ method: "GET", path });
    expect({ status, body }).toMatchObject({ status: 405, body: { errorCode: "GENERAL" } });
  }
});

test("automated traffic is served, and exposed to nothing", async () => {
  const sent: ExposureEvent[] = [];
  const { body } = await ask({ sent, headers: { "user-agent": "Googlebot/2.1" } });
  expect(body).toMatchObject({ variant: "one" });
  expect(body).not.toHaveProperty("metadata");
  expect(sent).toEqual([]);
});

test("all flags expose nobody", async () => {
  const sent: ExposureEvent[] = [];
  expect((await ask({ path: "/", sent })).body).toMatchObject({ metadata: { version: 7 } });
  expect(sent).toEqual([]);
});

test("what cannot be refreshed says so in the metadata, since OFREP has no reason STALE", async () => {
  const snapshots = await published();
  await ask({ snapshots });
  await env.CONFIG.put(configKeys.snapshot("ofrep"), "{");
  await ask({ snapshots, atMs: nowMs + 11_000 });
  const { body } = await ask({ snapshots, atMs: nowMs + 12_000 });
  expect(body).toMatchObject({ reason: "SPLIT", variant: "one", metadata: { stale: true } });
});

test("a tag does not outlive the end of an experiment, which publishes nothing", async () => {
  const snapshots = await published();
  const first = await ask({ path: "/", snapshots });
  const headers = { "if-none-match": first.headers["etag"] ?? "" };
  expect(await ask({ path: "/", snapshots, headers })).toMatchObject({ status: 304, body: null });
  const ended = await ask({ path: "/", snapshots, headers, atMs: nowMs + 60_000 });
  expect(ended.status).toBe(200);
  expect(ended.body).toMatchObject({ flags: [{ variant: "none", reason: "DEFAULT" }] });
});
