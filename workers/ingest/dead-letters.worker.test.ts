import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import { packEvents } from "../../counting/pack.ts";
import { createApp } from "../../http/app.ts";
import { deadLetterStore } from "../../stores/dead-letter-store.ts";
import type { DeadLetterStore } from "../../stores/dead-letter-store.ts";
import type { SentEvents } from "../../stores/event-queue.ts";
import { keyStore } from "../../stores/key-store.ts";
import { bought, exposed, start } from "../../test/checkout-events.ts";
import { deadLetterRoutes } from "./dead-letters.ts";

const secrets = {
  installation: "ew_admin_installation",
  admin: "ew_admin_of_e",
  other: "ew_admin_of_f",
  editor: "ew_editor_of_e",
  server: "ew_server_of_e",
};
const keys: Record<keyof typeof secrets, Omit<ApiKey, "v" | "id">> = {
  installation: { kind: "admin", role: "admin", environment: null },
  admin: { kind: "admin", role: "admin", environment: "e" },
  other: { kind: "admin", role: "admin", environment: "f" },
  editor: { kind: "admin", role: "editor", environment: "e" },
  server: { kind: "server", environment: "e" },
};

const events = [exposed(), bought(start + 1)];
const counts = { "rejected:invalid-event": 1 };
const readable = (environment: string) =>
  [
    ...packEvents(events, {
      environment,
      version: 3,
      receivedAtMs: start,
      shards: 1,
      maxBytes: 127_800,
      counts,
    }).values(),
  ].flat()[0] ?? "";

const store = deadLetterStore(env.ARCHIVE);
const queue = "edgewise-events-1";
const putAside = (body: unknown, atMs = start) =>
  store.putAside({ reason: "SyntaxError: ünexpected", queue, body }, atMs);

beforeEach(async () => {
  for (const { key } of (await env.ARCHIVE.list()).objects) await env.ARCHIVE.delete(key);
  for (const name of ["installation", "admin", "other", "editor", "server"] as const) {
    const key: ApiKey = { v: 1, id: name, ...keys[name] };
    const hash = await hashSecret(secrets[name]);
    await env.CONFIG.put(configKeys.apiKey(hash), JSON.stringify(key));
  }
  await env.CONFIG.put(configKeys.environment("default/production"), "e");
});

interface Listed {
  deadLetters: { id: string; [field: string]: unknown }[];
  next: string | null;
}

function api({
  letters = store,
  refuses = false,
}: { letters?: DeadLetterStore; refuses?: boolean } = {}) {
  const sent: SentEvents[] = [];
  const app = createApp<object>().route(
    "/letters",
    deadLetterRoutes({
      keys: keyStore(env.CONFIG),
      letters,
      events: {
        async send(message) {
          await Promise.resolve();
          if (refuses) throw new Error("Queue sendBatch failed: Too Many Requests");
          sent.push(message);
        },
      },
      nowMs: () => start + 90_000,
    }),
  );
  const call = async (path: string, key: keyof typeof secrets = "installation", method = "GET") => {
    const headers = { authorization: `Bearer ${secrets[key]}` };
    const response = await app.request(`/letters${path}`, { method, headers });
    return { status: response.status, body: await response.json<Listed & { id: string }>() };
  };
  const first = async () => (await call("")).body.deadLetters[0]?.id ?? "";
  return { sent, call, first };
}

describe("dead letters", () => {
  test("are listed oldest first, page by page, with reason, age and size", async () => {
    for (const minutes of [0, 1, 2]) await putAside(`{${minutes}`, start + minutes * 1_000);
    const { call } = api();
    const { status, body } = await call("?limit=2");
    expect(status).toBe(200);
    expect(body.deadLetters).toEqual([
      {
        id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
        reason: "SyntaxError: ?nexpected",
        queue,
        environment: null,
        bytes: expect.any(Number) as number,
        putAsideAt: new Date(start).toISOString(),
        ageSeconds: 90,
      },
      expect.objectContaining({ ageSeconds: 89 }),
    ]);
    // That the last one shown was replayed meanwhile hides nothing.
    await env.ARCHIVE.delete((await env.ARCHIVE.list()).objects[1]?.key ?? "");
    const second = await call(`?limit=2&cursor=${body.next ?? ""}`);
    expect(second.body).toMatchObject({ deadLetters: [{ ageSeconds: 88 }], next: null });
    expect((await call("?limit=0")).status).toBe(400);
    expect((await call("?cursor=garbage")).status).toBe(400);
  });

  test("show the body as it came", async () => {
    await putAside("{");
    const { call, first } = api();
    const { body } = await call(`/${await first()}`);
    expect(body).toMatchObject({ body: "{", queue, reason: "SyntaxError: ünexpected" });
    expect((await call("/0197-none")).status).toBe(404);
    expect((await call("/019b8a3e-0000-7000-8000-000000000000")).status).toBe(404);
  });

  test("are kept whatever stands where an environment should", async () => {
    for (const environment of ["x".repeat(3_000), "ü\n", "", 1, { id: "e" }]) {
      await putAside(JSON.stringify({ environment }));
    }
    const { body } = await api().call("");
    expect(body.deadLetters.map(({ environment }) => environment)).toEqual(Array(5).fill(null));
  });

  test("are for the role admin, and of another environment only for the installation's key", async () => {
    await putAside(readable("e"));
    await putAside("{");
    const { call } = api();
    expect((await call("", "editor")).status).toBe(403);
    expect((await call("", "server")).status).toBe(403);
    const listed = async (key: keyof typeof secrets) => (await call("", key)).body.deadLetters;
    expect(await listed("installation")).toHaveLength(2);
    expect(await listed("admin")).toMatchObject([{ environment: "e" }]);
    expect(await listed("other")).toEqual([]);
    const [letter] = await listed("admin");
    expect((await call(`/${letter?.id}`, "other")).status).toBe(404);
    expect((await call(`/${letter?.id}/replay`, "other", "POST")).status).toBe(404);
  });
});

describe("a replay", () => {
  const replayedAt = new Date(start + 90_000).toISOString();

  test("sends the message as it was received, once; then the letter is out of the list", async () => {
    await putAside(readable("e"));
    const { call, first, sent } = api();
    const id = await first();
    expect(await call(`/${id}/replay`, "admin", "POST")).toMatchObject({
      status: 200,
      body: { id, replayedAt },
    });
    const message = { environment: "e", version: 3, receivedAtMs: start, events, counts };
    expect(sent).toMatchObject([message]);
    expect(await call(`/${id}/replay`, "admin", "POST")).toMatchObject({ body: { replayedAt } });
    expect(sent).toHaveLength(1);
    expect((await call("")).body.deadLetters).toEqual([]);
    expect((await call(`/${id}`)).body).toMatchObject({ replayedAt, body: readable("e") });
  });

  test("of what still cannot be read is refused, and the letter stays", async () => {
    await putAside("{");
    const { call, first, sent } = api();
    expect((await call(`/${await first()}/replay`, "installation", "POST")).status).toBe(422);
    expect(sent).toEqual([]);
    expect((await call("")).body.deadLetters).toHaveLength(1);
  });

  test("that the queue refuses is a 503, and the letter stays", async () => {
    await putAside(readable("e"));
    const { call, first } = api({ refuses: true });
    expect((await call(`/${await first()}/replay`, "admin", "POST")).status).toBe(503);
    expect((await call("")).body.deadLetters).toHaveLength(1);
  });

  test("killed between sending and marking is sent again, which counting does not mind", async () => {
    await putAside(readable("e"));
    const letters = { ...store, markReplayed: () => Promise.reject(new Error("killed")) };
    const killed = api({ letters });
    const id = await killed.first();
    expect((await killed.call(`/${id}/replay`, "admin", "POST")).status).toBe(500);
    expect(killed.sent).toHaveLength(1);
    const { call, sent } = api();
    expect(await call(`/${id}/replay`, "admin", "POST")).toMatchObject({ body: { replayedAt } });
    expect(sent).toEqual(killed.sent);
  });
});
