import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import { limits } from "../../contracts/limits.ts";
import { countingPlanStore } from "../../stores/counting-plan-store.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import type { SentEvents } from "../../stores/event-queue.ts";
import { keyStore } from "../../stores/key-store.ts";
import { planOf, start } from "../../test/checkout-events.ts";
import { intakeApp } from "./intake.ts";

let nowMs = start;
const timestamp = new Date(start).toISOString();
const exposure = {
  type: "exposure",
  experiment: "checkout",
  variant: "control",
  unit: "u1",
  timestamp,
};
const outcome = { type: "outcome", id: "o1", name: "purchase", unit: "u1", timestamp };

const publish = (version: number, plan = planOf()) =>
  env.CONFIG.put(configKeys.counting("e"), JSON.stringify({ ...plan, version }));
const secrets = {
  server: "ew_server_1234567",
  client: "ew_client_1234567",
  admin: "ew_admin_12345678",
};

beforeEach(async () => {
  nowMs = start;
  await publish(1);
  for (const kind of ["server", "client", "admin"] as const) {
    const key: ApiKey = { v: 1, id: kind, kind, environment: kind === "admin" ? null : "e" };
    await env.CONFIG.put(configKeys.apiKey(await hashSecret(secrets[kind])), JSON.stringify(key));
  }
  await env.CONFIG.put(configKeys.environment("acme/staging"), "e");
});

/** The intake of a fresh isolate, and what reaches its queues. */
function intake({ refuses = false, plans }: { refuses?: boolean; plans?: CountingPlanStore } = {}) {
  const sent: SentEvents[] = [];
  const app = intakeApp({
    keys: keyStore(env.CONFIG),
    plans: plans ?? countingPlanStore(env.CONFIG),
    events: {
      async send(events) {
        await Promise.resolve();
        if (refuses) throw new Error("Queue sendBatch failed: Too Many Requests");
        sent.push(events);
      },
    },
    nowMs: () => nowMs,
    async wait(ms) {
      await Promise.resolve();
      nowMs += ms;
    },
  });
  const post = async (
    body: BodyInit | object,
    init: { key?: string; headers?: { [name: string]: string }; query?: string } = {},
  ) => {
    const isRaw = typeof body === "string" || body instanceof ReadableStream;
    const response = await app.request(`/api/v1/events/batch${init.query ?? ""}`, {
      method: "POST",
      headers: {
        ...(init.key !== "" && { authorization: `Bearer ${init.key ?? secrets.server}` }),
        ...init.headers,
      },
      body: isRaw ? body : JSON.stringify(body),
    });
    const answer: { [field: string]: unknown } = await response.json();
    return { status: response.status, answer, headers: response.headers };
  };
  return { app, post, sent };
}

test("what is accepted is queued under the plan's version before the 202", async () => {
  const { post, sent } = intake();
  const { status, answer } = await post({ events: [exposure, { type: "outcome" }, outcome] });
  expect(status).toBe(202);
  expect(answer).toEqual({
    accepted: 2,
    rejected: [
      { index: 1, code: "invalid-event", detail: expect.stringContaining("id must be") as string },
    ],
  });
  expect(sent).toEqual([
    {
      environment: "e",
      version: 1,
      receivedAtMs: start,
      events: [
        expect.objectContaining({ type: "exposure", kind: "user", source: "server" }),
        expect.objectContaining({ type: "outcome", kind: "targetingKey", source: "server" }),
      ],
      counts: { "rejected:invalid-event": 1 },
    },
  ]);
});

test("rejections are queued as counts by code, even when nothing is accepted", async () => {
  const { post, sent } = intake();
  const unknown = { ...exposure, experiment: "other" };
  const { status } = await post({ events: [unknown, unknown, { type: "outcome" }] });
  expect(status).toBe(202);
  expect(sent).toEqual([
    expect.objectContaining({
      events: [],
      counts: { "rejected:unknown-experiment": 2, "rejected:invalid-event": 1 },
    }),
  ]);
});

test("a queue that refuses is a 503 with Retry-After, and nothing is acknowledged", async () => {
  const { post } = intake({ refuses: true });
  const { status, answer, headers } = await post({ events: [exposure] });
  expect({ status, code: answer["code"], retryAfter: headers.get("retry-after") }).toEqual({
    status: 503,
    code: "unavailable",
    retryAfter: "2",
  });
  expect(answer).not.toHaveProperty("accepted");
});

test("so is a plan that cannot be had", async () => {
  const down = () => Promise.reject(new Error("KV is down"));
  const { post } = intake({ plans: { get: down, getNewer: down } });
  expect((await post({ events: [exposure] })).status).toBe(503);
});

test("an experiment that was started a moment ago is found, at most a second after the last look", async () => {
  const { post, sent } = intake();
  await publish(1, { ...planOf(), experiments: [] });
  const before = await post({ events: [exposure] });
  expect(before.answer["rejected"]).toEqual([
    expect.objectContaining({ code: "unknown-experiment" }),
  ]);
  await publish(2);
  nowMs += 1_000;
  expect((await post({ events: [exposure] })).answer).toEqual({ accepted: 1, rejected: [] });
  expect(sent.at(-1)?.version).toBe(2);
});

describe("the body", () => {
  test("may be text/plain, as sendBeacon sends it, with a public key in the URL", async () => {
    const { post, sent } = intake();
    const { status } = await post(JSON.stringify({ events: [outcome] }), {
      key: "",
      query: `?key=${secrets.client}`,
      headers: { "content-type": "text/plain;charset=UTF-8" },
    });
    expect(status).toBe(202);
    expect(sent[0]?.events[0]?.source).toBe("client");
  });

  test("may be gzip, bounded by what it inflates to", async () => {
    const { post } = intake();
    const zipped = (text: string) =>
      new Response(text).body?.pipeThrough(new CompressionStream("gzip")) ?? "";
    const headers = { "content-encoding": "gzip" };
    expect((await post(zipped(JSON.stringify({ events: [outcome] })), { headers })).status).toBe(
      202,
    );
    const bomb = JSON.stringify({ events: [], padding: " ".repeat(limits.batchBytes) });
    expect((await post(zipped(bomb), { headers })).status).toBe(413);
  });

  test("has at most 1,000 events and 1 MB", async () => {
    const { post } = intake();
    const many = Array.from({ length: 1_001 }, () => outcome);
    expect((await post({ events: many.slice(1) })).status).toBe(202);
    expect((await post({ events: many })).answer).toMatchObject({
      status: 413,
      code: "body-too-large",
    });
    expect((await post(`{"events":[]${" ".repeat(1_000_000)}}`)).status).toBe(413);
  });

  test.each([
    ["{", "malformed-json"],
    ["", "malformed-json"],
    ["[]", "invalid-body"],
    ['{"events":{}}', "invalid-body"],
    ['{"events":[],"sentAt":"yesterday"}', "invalid-body"],
    ['{"events":[],"source":"edge"}', "invalid-body"],
    ['{"events":[],"event":1}', "invalid-body"],
  ])("%s is a problem that names what is wrong", async (body, code) => {
    expect((await intake().post(body)).answer).toMatchObject({ status: 400, code });
  });

  test("an empty batch is accepted", async () => {
    expect((await intake().post({ events: [] })).answer).toEqual({ accepted: 0, rejected: [] });
  });

  test("says by sentAt how far the sender's clock is off", async () => {
    const { post, sent } = intake();
    nowMs = start + 60_000;
    await post({ sentAt: timestamp, events: [outcome] });
    expect(sent[0]?.events[0]?.timeMs).toBe(start + 60_000);
  });
});

describe("who sends", () => {
  test("needs a key: none and unknown ones are 401", async () => {
    const { post } = intake();
    expect((await post({ events: [] }, { key: "" })).status).toBe(401);
    expect((await post({ events: [] }, { key: "ew_unknown_12345" })).status).toBe(401);
  });

  test("with a client key is marked so, and may not import", async () => {
    const { post, sent } = intake();
    await post({ events: [outcome] }, { key: secrets.client });
    expect(sent[0]?.events[0]?.source).toBe("client");
    const imported = await post({ source: "import", events: [outcome] }, { key: secrets.client });
    expect(imported.answer).toMatchObject({ status: 403, code: "forbidden" });
    expect((await post({ source: "server", events: [] }, { key: secrets.client })).status).toBe(
      403,
    );
  });

  test("with a server key may import the past", async () => {
    const { post, sent } = intake();
    const old = { ...exposure, timestamp: "2020-01-01T00:00:00Z" };
    expect((await post({ source: "import", events: [old] })).answer["accepted"]).toBe(1);
    expect(sent[0]?.events[0]?.source).toBe("import");
    expect((await post({ events: [old] })).answer["rejected"]).toEqual([
      expect.objectContaining({ code: "timestamp-too-old" }),
    ]);
  });

  test("with the installation's key names the environment", async () => {
    const { post, sent } = intake();
    const headers = { "x-edgewise-environment": "acme/staging" };
    expect((await post({ events: [outcome] }, { key: secrets.admin, headers })).status).toBe(202);
    expect(sent[0]?.environment).toBe("e");
    expect((await post({ events: [] }, { key: secrets.admin })).status).toBe(404);
    expect((await post({ events: [] }, { headers })).status).toBe(403);
  });

  test("may be a page of any origin that the key allows", async () => {
    const { app, post } = intake();
    const preflight = await app.request("/api/v1/events/batch", {
      method: "OPTIONS",
      headers: {
        origin: "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    const answered = await post({ events: [] }, { headers: { origin: "https://shop.example" } });
    expect(answered.headers.get("access-control-allow-origin")).toBe("*");
  });
});

test("an experiment started a moment ago is known, even just after the plan was looked at for another", async () => {
  const { post, sent } = intake();
  const plan = planOf();
  const [first] = plan.experiments;
  if (first === undefined) throw new Error("the plan has no experiment");
  const started = (key: string) => ({
    ...plan,
    experiments: [...plan.experiments, { ...first, key }],
  });
  await post({ events: [exposure] });
  await publish(2, started("second"));
  expect((await post({ events: [{ ...exposure, experiment: "second" }] })).answer).toMatchObject({
    accepted: 1,
  });
  await publish(3, started("third"));
  expect((await post({ events: [{ ...exposure, experiment: "third" }] })).answer).toMatchObject({
    accepted: 1,
  });
  expect(sent.map(({ version }) => version)).toEqual([1, 2, 3]);
});

test("an outcome that no known metric reads is delivered after every plan has caught up, the others at once", async () => {
  const { post, sent } = intake();
  const { answer } = await post({ events: [exposure, { ...outcome, name: "brand_new" }] });
  expect(answer).toEqual({ accepted: 2, rejected: [] });
  expect(
    sent.map(({ events, delaySeconds }) => [events.map(({ type }) => type), delaySeconds]),
  ).toEqual([
    [["exposure"], undefined],
    [["outcome"], limits.propagationSeconds],
  ]);
});

test.each(["server", "admin"] as const)(
  "a %s key in the address is refused: addresses are logged",
  async (kind) => {
    const { post, sent } = intake();
    const { status } = await post(
      { events: [exposure] },
      { key: "", query: `?key=${secrets[kind]}` },
    );
    expect(status).toBe(403);
    expect(sent).toEqual([]);
  },
);
