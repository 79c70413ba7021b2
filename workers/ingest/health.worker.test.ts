import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import { compilePlan } from "../../counting/plan.ts";
import { deadLetterStore } from "../../stores/dead-letter-store.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { unitShard } from "../../stores/unit-shard.ts";
import { exposed, planOf } from "../../test/checkout-events.ts";
import worker from "./index.ts";

const nowMs = Date.now();
const secrets = { viewer: "ew_viewer_of_e", server: "ew_server_of_e", other: "ew_viewer_of_f" };

beforeAll(async () => {
  const keys = [
    ["viewer", "admin", "e"],
    ["server", "server", "e"],
    ["other", "admin", "f"],
  ] as const;
  for (const [id, kind, environment] of keys) {
    const key: ApiKey = {
      v: 1,
      id,
      kind,
      environment,
      ...(kind === "admin" && { role: "viewer" }),
    };
    await env.CONFIG.put(configKeys.apiKey(await hashSecret(secrets[id])), JSON.stringify(key));
  }
});

async function health(key: keyof typeof secrets, bindings: Partial<typeof env> = {}) {
  const request = new Request("https://edgewise.test/api/v1/health", {
    headers: { authorization: `Bearer ${secrets[key]}` },
  });
  const given = { ...env, ...bindings } as Parameters<typeof worker.fetch>[1];
  const response = await worker.fetch(request as never, given, createExecutionContext());
  return { status: response.status, body: await response.json() };
}

test("health reads queues, shards and archive, for viewers, with the counts of their environment alone", async () => {
  const plans = new Map([["e", compilePlan(planOf())]]);
  const events = [
    exposed({ timeMs: nowMs }),
    exposed({ timeMs: nowMs, variant: "one_page" }),
    exposed({ timeMs: nowMs, unit: "robot", bot: true }),
  ];
  const counts = { "rejected:invalid-event": 3 };
  const batch = { environment: "e", receivedAtMs: nowMs, events, counts };
  await unitShard(env.METRICS_1).fold(plans, [batch], nowMs);
  await deadLetterStore(env.ARCHIVE).putAside({ reason: "x", queue: "q", body: "{" }, nowMs);
  await rebuildStore(env.METRICS_0).request("id", "new metric", nowMs);

  const { status, body } = await health("viewer");
  expect(status).toBe(200);
  const at = new Date(nowMs).toISOString();
  expect(body).toMatchObject({
    status: "ok",
    alarms: [],
    intake: { foldedEvents: 3, rejected: { "invalid-event": 3 } },
    deadLetters: { count: 1, isMore: false },
    shards: [
      {
        newestEventAt: null,
        backlog: { messages: 0, oldestAgeSeconds: null },
        rebuild: { id: "id", reason: "new metric", status: "emptying", difference: null },
      },
      { newestEventAt: at, newestReceivedAt: at, foldedAt: at, quarantinedUnits: 1, botUnits: 1 },
    ],
  });
  expect((await health("other")).body).toMatchObject({
    intake: { foldedEvents: 0, rejected: {} },
    shards: [{}, { newestEventAt: at, quarantinedUnits: 0 }],
  });
  expect((await health("server")).status).toBe(403);
});

test("health is told while a database and the archive fail, as an alarm", async () => {
  const fails = () => Promise.reject(new Error("it is down"));
  const METRICS_1 = { prepare: () => env.METRICS_1.prepare("SELECT 1"), batch: fails };
  const bindings = { METRICS_1, ARCHIVE: { list: fails } } as unknown as Partial<typeof env>;
  expect(await health("viewer", bindings)).toMatchObject({
    status: 200,
    body: {
      status: "alarm",
      alarms: [{ shard: 1, code: "shard-unavailable" }],
      deadLetters: null,
      shards: [{ available: true }, { available: false }],
    },
  });
});
