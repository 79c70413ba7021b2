/**
 * `POST /api/v1/events/batch`: each event is judged on its own, and what is accepted is in its queue before the 202.
 * When a queue refuses, nothing is acknowledged; sending the whole batch again is harmless.
 */

import { cors } from "hono/cors";
import type { ApiKey, KeyDirectory } from "../../contracts/api-key.ts";
import { parseInstant } from "../../contracts/event-fields.ts";
import { eventBatch } from "../../contracts/events.ts";
import type { EventBatchBody } from "../../contracts/events.ts";
import { limits } from "../../contracts/limits.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import type { Counts, Source } from "../../counting/types.ts";
import { createApp, reply } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import { readJson } from "../../http/body.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import type { EventQueue } from "../../stores/event-queue.ts";
import { clockShift, judge } from "./judge.ts";
import type { Judged } from "./judge.ts";

export interface Intake {
  keys: KeyDirectory;
  plans: CountingPlanStore;
  events: EventQueue;
  nowMs: () => number;
}

const anyKey = { kinds: ["server", "client", "admin"] } as const;

export function intakeApp(intake: Intake) {
  const app = createApp<object>();
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.use("/api/v1/events/*", cors({ origin: "*", allowMethods: ["POST"], maxAge: 86_400 }));
  app.post("/api/v1/events/batch", async (c) => {
    const principal = await authenticate(credentials(c.req.raw), intake.keys, anyKey);
    if (!principal.ok) return reply(c, principal.problem);
    const { key, environment } = principal.value;
    const body = await readJson(c.req.raw, eventBatch, limits.batchBytes);
    if (!body.ok) return reply(c, body.problem);
    const source = sourceOf(key, body.value);
    if (!source.ok) return reply(c, source.problem);
    const sent = await send(environment, body.value, source.value, intake);
    return sent.ok ? c.json(sent.value, 202) : reply(c, sent.problem);
  });
  return app;
}

/** `navigator.sendBeacon` cannot send headers: a page's public key may come as `?key=`. */
function credentials({ headers, url }: Request): Headers {
  const key = new URL(url).searchParams.get("key");
  if (key === null || headers.has("authorization")) return headers;
  const completed = new Headers(headers);
  completed.set("authorization", `Bearer ${key}`);
  return completed;
}

/** Who may say that events are past data, or pass on what a client told it. */
function sourceOf({ kind }: ApiKey, { source, events }: EventBatchBody): Result<Source> {
  if (events.length > limits.batchEvents) {
    const detail = `A batch has at most ${limits.batchEvents} events, this one ${events.length}: send several.`;
    return refuse("body-too-large", detail);
  }
  if (kind !== "client") return ok(source ?? "server");
  return source === undefined || source === "client"
    ? ok("client")
    : refuse(
        "forbidden",
        `A client key may not send source "${source}": use a server or admin key.`,
      );
}

async function send(
  environment: string,
  { events, sentAt }: EventBatchBody,
  source: Source,
  intake: Intake,
): Promise<Result<Pick<Judged, "accepted" | "rejected">>> {
  const receivedAtMs = intake.nowMs();
  const clockShiftMs = clockShift(parseInstant(sentAt), receivedAtMs, source);
  try {
    let plan = await intake.plans.get(environment, receivedAtMs);
    let judged = judge(events, { plan, source, receivedAtMs, clockShiftMs });
    if (judged.rejected.some(({ code }) => code.startsWith("unknown-"))) {
      // The name may be newer than the plan that this isolate remembers.
      plan = await intake.plans.getNewer(plan, receivedAtMs);
      judged = judge(events, { plan, source, receivedAtMs, clockShiftMs });
    }
    const { version } = plan;
    const counts = countsOf(judged);
    await intake.events.send({ environment, version, receivedAtMs, events: judged.events, counts });
    return ok({ accepted: judged.accepted, rejected: judged.rejected });
  } catch (error) {
    console.error(JSON.stringify({ event: "intake-unavailable", error: String(error) }));
    return refuse("unavailable", "The events could not be queued: send the whole batch again.", {
      retryAfterSeconds: 2,
    });
  }
}

/** They travel with the events, so that they are as durable and cost nothing more. */
function countsOf({ rejected }: Judged): Counts {
  const counts: Counts = {};
  for (const { code } of rejected) {
    const name = `rejected:${code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
