/**
 * `POST /api/v1/events/batch`: each event is judged on its own, and what is accepted is in its queue before the 202.
 * When a queue refuses, nothing is acknowledged; sending the whole batch again is harmless.
 */

import { cors } from "hono/cors";
import type { ApiKey, KeyDirectory } from "../../contracts/api-key.ts";
import { parseInstant } from "../../contracts/event-fields.ts";
import { eventBatch, readEventBatch } from "../../contracts/events.ts";
import type { EventBatchBody } from "../../contracts/events.ts";
import { limits } from "../../contracts/limits.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import type { CompiledPlan } from "../../counting/plan.ts";
import type { CountedEvent, Counts, Source } from "../../counting/types.ts";
import { createApp, reply } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import type { Need } from "../../http/authenticate.ts";
import { readJson } from "../../http/body.ts";
import { planReloadMs } from "../../stores/counting-plan-store.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import type { EventQueue } from "../../stores/event-queue.ts";
import { clockShift, judge } from "./judge.ts";
import type { Judged } from "./judge.ts";

export interface Intake {
  keys: KeyDirectory;
  plans: CountingPlanStore;
  events: EventQueue;
  nowMs: () => number;
  wait: (ms: number) => Promise<void>;
}

const anyKey = { kinds: ["server", "client", "admin"] } as const;

export function intakeApp(intake: Intake) {
  const app = createApp<object>();
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.use("/api/v1/events/*", cors({ origin: "*", allowMethods: ["POST"], maxAge: 86_400 }));
  app.post("/api/v1/events/batch", async (c) => {
    const { headers, need } = credentials(c.req.raw);
    const principal = await authenticate(headers, intake.keys, need);
    if (!principal.ok) return reply(c, principal.problem);
    const { key, environment } = principal.value;
    const body = await readJson(c.req.raw, eventBatch, limits.batchBytes, readEventBatch);
    if (!body.ok) return reply(c, body.problem);
    const source = sourceOf(key, body.value);
    if (!source.ok) return reply(c, source.problem);
    const sent = await send(environment, body.value, source.value, intake);
    return sent.ok ? c.json(sent.value, 202) : reply(c, sent.problem);
  });
  return app;
}

/** `navigator.sendBeacon` cannot send headers: a page's public key may come as `?key=`. */
function credentials({ headers, url }: Request): { headers: Headers; need: Need } {
  const key = new URL(url).searchParams.get("key");
  if (key === null || headers.has("authorization")) return { headers, need: anyKey };
  const completed = new Headers(headers);
  completed.set("authorization", `Bearer ${key}`);
  return { headers: completed, need: { kinds: ["client"] } };
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
    const { plan, judged } = await judgeByNewest(environment, intake, (plan) =>
      judge(events, { plan, source, receivedAtMs, clockShiftMs }),
    );
    const message = { environment, version: plan.version, receivedAtMs };
    const { now, later } = byReadiness(judged.events, plan);
    await intake.events.send({ ...message, events: now, counts: countsOf(judged) });
    if (later.length > 0) {
      const delaySeconds = limits.propagationSeconds;
      await intake.events.send({ ...message, events: later, delaySeconds });
    }
    return ok({ accepted: judged.accepted, rejected: judged.rejected });
  } catch (error) {
    console.error(JSON.stringify({ event: "intake-unavailable", error: String(error) }));
    return refuse("unavailable", "The events could not be queued: send the whole batch again.", {
      retryAfterSeconds: 2,
    });
  }
}

/** A name that the remembered plan lacks may be newer: the plan is read again, as soon as that is allowed, before anything is rejected. */
async function judgeByNewest(
  environment: string,
  { plans, nowMs, wait }: Intake,
  judgeBy: (plan: CompiledPlan) => Judged,
): Promise<{ plan: CompiledPlan; judged: Judged }> {
  let plan = await plans.get(environment, nowMs());
  let judged = judgeBy(plan);
  for (const waitMs of [0, planReloadMs]) {
    if (!judged.rejected.some(({ code }) => code.startsWith("unknown-"))) break;
    if (waitMs > 0) await wait(waitMs);
    plan = await plans.getNewer(plan, nowMs());
    judged = judgeBy(plan);
  }
  return { plan, judged };
}

/**
 * An outcome that no known metric reads would be left out of the cells for good, and its metric may be newer than the plans here and at the
 * consumer: it is delivered once every plan has caught up.
 */
function byReadiness(events: readonly CountedEvent[], { outcomes }: CompiledPlan) {
  const isReady = (event: CountedEvent) => event.type === "exposure" || outcomes.has(event.name);
  return {
    now: events.filter((event) => isReady(event)),
    later: events.filter((event) => !isReady(event)),
  };
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
