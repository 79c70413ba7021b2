import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Notice } from "../../contracts/notice.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { at, atMs } from "../../test/control-state.ts";
import { deliver, planDeliveries } from "./deliver.ts";
import { signature } from "./webhook-signature.ts";

const minuteMs = 60_000;
const store = webhookStore(env.CONTROL);
const secret = "whsec_c2VjcmV0";
let made = 0;

const noticeOf = (more: Partial<Notice> = {}): Notice => {
  made += 1;
  return {
    id: `event-${made}`,
    key: `key-${made}`,
    kind: "boundary.crossed",
    at,
    experiment: "checkout",
    summary: "b crossed",
    data: { z: 3 },
    ...more,
  };
};

async function hook(environment: string, events: Notice["kind"][] = ["boundary.crossed"]) {
  made += 1;
  const webhook = { id: `hook-${made}`, url: "https://hooks.acme.com/x", events, createdAt: at };
  await store.add(requestOf(environment), { ...webhook, secret });
  return webhook;
}

/** Deliveries of that webhook alone: other tests have theirs in the same database. */
async function dueOf(webhook: string, nowMs = atMs) {
  const due = await store.due(nowMs);
  return planDeliveries(due.filter((each) => each.webhook === webhook));
}

function sender(answer: (nth: number) => number | Error) {
  const received: Request[] = [];
  const send = (request: Request) => {
    received.push(request);
    const said = answer(received.length);
    return said instanceof Error
      ? Promise.reject(said)
      : Promise.resolve(new Response(null, { status: said }));
  };
  return { received, send };
}

test("a notice goes, signed, to each webhook that asks for its kind, and to none that was made later", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const asked = await hook(environment);
  const other = await hook(environment, ["cron.failing"]);
  const notice = noticeOf();
  await store.tell(environment, notice);
  const late = await hook(environment);
  expect(await dueOf(other.id)).toEqual([]);
  expect(await dueOf(late.id)).toEqual([]);

  const { received, send } = sender(() => 204);
  const [message, ...more] = await dueOf(asked.id);
  expect(more).toEqual([]);
  if (message === undefined) throw new Error("nothing is due");
  await deliver({ webhooks: store, send, nowMs: () => atMs }, message);
  const [request] = received;
  const body = (await request?.text()) ?? "";
  expect(JSON.parse(body)).toEqual({
    id: notice.id,
    type: "boundary.crossed",
    timestamp: at,
    environment,
    experiment: "checkout",
    summary: "b crossed",
    data: { z: 3 },
  });
  const timestamp = String(atMs / 1_000);
  expect(request?.headers.get("webhook-id")).toBe(notice.id);
  expect(request?.headers.get("webhook-timestamp")).toBe(timestamp);
  expect(request?.headers.get("webhook-signature")).toBe(
    await signature(secret, { id: notice.id, timestamp, body }),
  );
  expect(request?.redirect).toBe("manual");
  expect(await dueOf(asked.id, atMs + 1e9)).toEqual([]);
});

test("the same thing is told once, even when its notice is written again after a webhook was added", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const first = await hook(environment);
  await store.tell(environment, noticeOf({ key: "once" }));
  const second = await hook(environment);
  await store.tell(environment, noticeOf({ key: "once" }));
  expect(await dueOf(first.id)).toHaveLength(1);
  expect(await dueOf(second.id)).toEqual([]);
});

test("what fails is attempted again after one, two, four… minutes, with the same id and bytes, and given up after twelve", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const { id } = await hook(environment);
  await store.tell(environment, noticeOf());
  const { received, send } = sender((nth) => (nth % 2 === 0 ? 500 : new Error("refused")));
  const pauses: number[] = [];
  for (let nowMs = atMs, isLeft = true; isLeft;) {
    const [message] = await dueOf(id, nowMs);
    if (message === undefined) throw new Error(`nothing is due at ${nowMs}`);
    await deliver({ webhooks: store, send, nowMs: () => nowMs }, message);
    const nextMs = (await store.webhook(environment, id))?.deliveries[0]?.nextAttemptAtMs ?? null;
    if (nextMs !== null) expect(await dueOf(id, nextMs - 1)).toEqual([]);
    pauses.push(((nextMs ?? nowMs) - nowMs) / minuteMs);
    isLeft = nextMs !== null;
    nowMs = nextMs ?? nowMs;
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 0]);
  const bodies = await Promise.all(received.map((request) => request.text()));
  expect(new Set(bodies).size).toBe(1);
  expect(new Set(received.map((request) => request.headers.get("webhook-id"))).size).toBe(1);
  const shown = await store.webhook(environment, id);
  expect(shown?.deliveries).toMatchObject([
    { attempts: 12, nextAttemptAtMs: null, deliveredAt: null, lastError: "answered 500" },
  ]);
});

test("of two consumers with the same message one sends; a killed one's delivery comes again", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const { id } = await hook(environment);
  await store.tell(environment, noticeOf());
  const [message] = await dueOf(id);
  if (message === undefined) throw new Error("nothing is due");
  // Claimed and never reported, as by one that was killed before its request.
  expect(await store.claim(message, atMs + minuteMs)).not.toBeNull();
  const { received, send } = sender(() => 200);
  await deliver({ webhooks: store, send, nowMs: () => atMs }, message);
  expect(received).toEqual([]);
  const [again] = await dueOf(id, atMs + minuteMs);
  if (again === undefined) throw new Error("it was lost");
  await deliver({ webhooks: store, send, nowMs: () => atMs + minuteMs }, again);
  expect(received).toHaveLength(1);
});

test("a webhook that was removed gets nothing more", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const webhook = await hook(environment);
  await store.tell(environment, noticeOf());
  expect(await store.remove(requestOf(environment), webhook)).toBe(true);
  expect(await dueOf(webhook.id)).toEqual([]);
  expect(await store.webhooks(environment)).toEqual([]);
});
