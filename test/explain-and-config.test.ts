/** `POST /api/v1/explain` and `GET /api/v1/config` against what `POST /api/v1/evaluate` serves. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { snapshot } from "../contracts/snapshot.ts";
import { bucket, compile, evaluate } from "../core/index.ts";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";
import { flags } from "./ofrep-flags.ts";

const contexts = [{ targetingKey: "anna", country: "US" }, { targetingKey: "ben" }, {}];
const keys = flags.map(({ key }) => key);
const served = z.object({ version: z.number(), flags: z.record(z.string(), z.looseObject({})) });

let system: System;
let server: string;
let client: string;

beforeAll(async () => {
  system = await startSystem();
  server = await system.newKey("server");
  client = await system.newKey("client");
  for (const body of flags) {
    await system.expectOk(z.unknown(), system.call("POST", "/api/v1/flags", { body }));
  }
  const deadline = Date.now() + 60_000;
  const last = keys.at(-1) ?? "none";
  for (;;) {
    if (last in (await evaluated({})).flags) return;
    if (Date.now() > deadline) throw new Error("did not propagate within a minute");
  }
});
afterAll(() => system.destroy());

const ask = (path: string, context: object, more: object = {}) =>
  system.expectOk(served, system.call("POST", path, { key: server, body: { context, ...more } }));
const evaluated = (context: object) => ask("/api/v1/evaluate", context);
const getConfig = (headers: Record<string, string> = {}, key = server) =>
  system.call("GET", "/api/v1/config", { key, headers });

describe("explain", () => {
  test("answers what evaluate answers, with steps", async () => {
    for (const context of contexts) {
      const explained = await ask("/api/v1/explain", context);
      const withoutSteps = Object.entries(explained.flags).map(([key, { steps, ...rest }]) => {
        expect(steps).not.toEqual([]);
        return [key, rest];
      });
      expect(Object.fromEntries(withoutSteps)).toEqual((await evaluated(context)).flags);
    }
  });

  test("tells the hash's input and its bucket", async () => {
    const split = { flags: ["split"] };
    const { flags: explained } = await ask("/api/v1/explain", { targetingKey: "anna" }, split);
    const hash = z.object({ input: z.string(), bucket: z.number() });
    const steps = z.parse(
      z.array(z.object({ step: z.string(), hash: z.optional(hash) })),
      explained["split"]?.["steps"],
    );
    const hashed = steps.find(({ step }) => step === "variant")?.hash;
    const { flags: published } = z.parse(snapshot, (await getConfig()).body);
    const salt = published.find(({ key }) => key === "split")?.salt ?? "none";
    expect(hashed).toEqual({ input: `${salt}:anna`, bucket: bucket(salt, "anna") });
  });

  test("is not for client keys, which never see rules", async () => {
    const body = { context: {} };
    const { status } = await system.call("POST", "/api/v1/explain", { key: client, body });
    expect(status).toBe(403);
  });
});

describe("config", () => {
  test("is the snapshot: evaluated locally, it serves what is served at the edge", async () => {
    const { status, body } = await getConfig();
    expect(status).toBe(200);
    const compiled = compile(z.parse(snapshot, body));
    for (const context of contexts) {
      const { flags: answered } = await evaluated(context);
      for (const key of keys) {
        const { value, variant, reason } = evaluate(compiled, key, context, Date.now());
        expect({ value: answered[key]?.["value"], ...answered[key] }).toMatchObject({
          value,
          reason,
          ...(variant !== undefined && { variant }),
        });
      }
    }
  });

  test("is answered with 304 until it changes, and may be kept by a CDN for each key apart", async () => {
    const { headers } = await getConfig();
    const etag = headers.get("etag") ?? "none";
    expect(headers.get("cache-control")).toContain("max-age");
    expect(headers.get("vary")).toContain("authorization");
    expect(await getConfig({ "if-none-match": `W/${etag}` })).toMatchObject({
      status: 304,
      body: "",
    });
    expect((await getConfig({ "if-none-match": `"another"` })).status).toBe(200);
  });

  test("is not for client keys", async () => {
    expect((await getConfig({}, client)).status).toBe(403);
  });
});
