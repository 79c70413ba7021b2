/** An experiment's life, keys and the audit trail, as HTTP clients meet them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
  const metric = { key: "bought", type: "proportion", event: "buy" };
  expect((await system.call("POST", "/api/v1/metrics", { body: metric })).status).toBe(201);
});
afterAll(() => system.destroy());

const experiment = (key: string) => ({
  key,
  variants: [
    { key: "a", weight: 50, value: "A", isControl: true },
    { key: "b", weight: 50, value: "B" },
  ],
  metrics: { primary: ["bought"] },
  plan: { maximumSampleSize: 1_000 },
});

const evaluation = z.object({
  flags: z.record(z.string(), z.object({ value: z.unknown(), reason: z.string() })),
});

async function reasonsOf(key: string, flag: string): Promise<Set<string>> {
  const reasons = new Set<string>();
  for (let i = 0; i < 20; i += 1) {
    const body = { context: { targetingKey: `u${i}` }, flags: [flag], exposures: false };
    const answer = await system.expectOk(
      evaluation,
      system.call("POST", "/api/v1/evaluate", { body, key }),
    );
    reasons.add(answer.flags[flag]?.reason ?? "none");
  }
  return reasons;
}

/** Asks until the answer is the expected one; propagation has a bound, this gives up well beyond it. */
async function eventually(ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error("did not happen within a minute");
  }
}

const step = (key: string, action: string, reason = "because") =>
  system.call("POST", `/api/v1/experiments/${key}/${action}`, { body: { reason } });

test("a paused experiment stops assigning within the propagation bound, a resumed one assigns again", async () => {
  const server = await system.newKey("server");
  await system.call("POST", "/api/v1/experiments", { body: experiment("pausing") });
  expect((await step("pausing", "start")).status).toBe(200);
  await eventually(async () => (await reasonsOf(server, "pausing")).has("SPLIT"));
  expect(await reasonsOf(server, "pausing")).toEqual(new Set(["SPLIT"]));
  expect((await step("pausing", "pause")).status).toBe(200);
  await eventually(async () => !(await reasonsOf(server, "pausing")).has("SPLIT"));
  expect(await reasonsOf(server, "pausing")).toEqual(new Set(["DEFAULT"]));
  expect((await step("pausing", "resume")).status).toBe(200);
  await eventually(async () => (await reasonsOf(server, "pausing")).has("SPLIT"));
});

test("each step of the lifecycle is refused from where it is not possible, naming the status", async () => {
  await system.call("POST", "/api/v1/experiments", { body: experiment("steps") });
  for (const [action, status] of [
    ["pause", 422],
    ["resume", 422],
    ["complete", 422],
    ["start", 200],
    ["start", 422],
    ["resume", 422],
    ["pause", 200],
    ["pause", 422],
    ["resume", 200],
    ["complete", 200],
    ["resume", 422],
    ["start", 422],
  ] as const) {
    const answer = await step("steps", action);
    expect([action, answer.status]).toEqual([action, status]);
    if (status === 422) {
      expect(answer.body).toMatchObject({
        code: "not-possible",
        detail: expect.stringContaining("steps is "),
      });
    }
  }
});

test("every change is in the audit log, newest first, with who, why and what it became", async () => {
  await system.call("POST", "/api/v1/experiments", { body: experiment("audited") });
  await step("audited", "start", "the hypothesis is reviewed");
  await step("audited", "complete", "the season is over");
  const { body } = await system.call("GET", "/api/v1/audit?limit=3");
  expect(body).toMatchObject({
    entries: [
      {
        action: "complete",
        entity: "experiment",
        entityKey: "audited",
        reason: "the season is over",
        after: { status: "completed" },
      },
      { action: "start", reason: "the hypothesis is reviewed", after: { status: "running" } },
      { action: "create", after: { status: "draft" } },
    ],
  });
});

describe("API keys", () => {
  test("no key, a malformed one and an unknown one are 401 problems", async () => {
    for (const headers of [
      {},
      { authorization: "Basic eDp5" },
      { authorization: "Bearer ew_unknown_key_1" },
    ]) {
      for (const [method, path] of [
        ["POST", "/api/v1/evaluate"],
        ["POST", "/api/v1/events/batch"],
        ["GET", "/api/v1/experiments"],
      ] as const) {
        const answer = await system.call(method, path, {
          key: null,
          headers: { ...headers },
          ...(method === "POST" && { body: {} }),
        });
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expect(answer.body).toMatchObject({
          code: "unauthenticated",
          status: 401,
          requestId: expect.any(String),
        });
      }
    }
  });

  test("server and client keys evaluate and send events, and may not administer: 403", async () => {
    for (const kind of ["server", "client"] as const) {
      const key = await system.newKey(kind);
      const evaluated = await system.call("POST", "/api/v1/evaluate", { key, body: {} });
      expect(evaluated.status).toBe(200);
      const sent = await system.call("POST", "/api/v1/events/batch", { key, body: { events: [] } });
      expect([kind, sent.status]).toEqual([kind, 202]);
      for (const path of [
        "/api/v1/experiments",
        "/api/v1/metrics",
        "/api/v1/keys",
        "/api/v1/audit",
      ]) {
        const refused = await system.call("GET", path, { key });
        expect([kind, path, refused.status]).toEqual([kind, path, 403]);
        expect(refused.body).toMatchObject({ code: "forbidden" });
      }
    }
  });

  test("a viewer reads and may not write; an editor writes and may not make keys", async () => {
    const viewer = await system.newKey("admin", { role: "viewer" });
    const editor = await system.newKey("admin", { role: "editor" });
    const metric = { key: "by_editor", type: "mean", event: "x" };
    expect((await system.call("GET", "/api/v1/metrics", { key: viewer })).status).toBe(200);
    expect(
      (await system.call("POST", "/api/v1/metrics", { key: viewer, body: metric })).status,
    ).toBe(403);
    expect(
      (await system.call("POST", "/api/v1/metrics", { key: editor, body: metric })).status,
    ).toBe(201);
    const body = { kind: "server", name: "s" };
    expect((await system.call("POST", "/api/v1/keys", { key: editor, body })).status).toBe(403);
  });

  test("a client key with origins is refused from any other origin", async () => {
    const key = await system.newKey("client", { origins: ["https://shop.example"] });
    const from = (origin: string) =>
      system.call("POST", "/api/v1/evaluate", { key, body: {}, headers: { origin } });
    expect((await from("https://shop.example")).status).toBe(200);
    expect((await from("https://evil.example")).status).toBe(403);
  });

  test("a revoked key is refused within the propagation bound", async () => {
    const { id, secret } = await system.expectOk(
      z.object({ id: z.string(), secret: z.string() }),
      system.call("POST", "/api/v1/keys", {
        body: { kind: "admin", name: "short", role: "viewer" },
      }),
    );
    expect((await system.call("GET", "/api/v1/metrics", { key: secret })).status).toBe(200);
    expect((await system.call("DELETE", `/api/v1/keys/${id}`)).status).toBe(204);
    expect((await system.call("GET", "/api/v1/metrics", { key: secret })).status).toBe(401);
  });

  test("a secret is stored nowhere: listing keys shows none", async () => {
    const secret = await system.newKey("server");
    const { body } = await system.call("GET", "/api/v1/keys");
    expect(JSON.stringify(body)).not.toContain(secret);
  });

  test("only the installation's key may name an environment", async () => {
    const headers = { "x-edgewise-environment": "other/production" };
    const key = await system.newKey("admin", { role: "admin" });
    expect((await system.call("GET", "/api/v1/metrics", { headers, key })).status).toBe(403);
    const own = await system.call("GET", "/api/v1/metrics", { headers });
    expect(own.body).toEqual({ metrics: [] });
    const unknown = { "x-edgewise-environment": "no/such" };
    expect((await system.call("GET", "/api/v1/metrics", { headers: unknown })).status).toBe(404);
  });
});
