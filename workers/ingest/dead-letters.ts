/**
 * `/api/v1/dead-letters`: messages that could not be counted, to be looked at and sent again once the cause is gone.
 * A replay goes through the queues like any message, so that sending one twice is harmless. Bodies are people's data: role admin.
 */

import { Hono } from "hono";
import type { Context } from "hono";
import type { KeyDirectory } from "../../contracts/api-key.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import { readEventMessage } from "../../contracts/queue-message.ts";
import type { EventMessage } from "../../contracts/queue-message.ts";
import { reply } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import type { Principal } from "../../http/authenticate.ts";
import type { DeadLetter, DeadLetterStore } from "../../stores/dead-letter-store.ts";
import type { EventQueue } from "../../stores/event-queue.ts";

export interface DeadLetterServices {
  keys: KeyDirectory;
  letters: DeadLetterStore;
  events: EventQueue;
  nowMs: () => number;
}

const pageLength = 50;
const longestPage = 200;

type Handler<T> = (principal: Principal) => Promise<Result<T>>;

export function deadLetterRoutes(services: DeadLetterServices) {
  const { keys, letters, events, nowMs } = services;

  async function answer<T>(c: Context<AppEnv<object>>, handle: Handler<T>): Promise<Response> {
    const principal = await authenticate(c.req.raw.headers, keys, { role: "admin" });
    if (!principal.ok) return reply(c, principal.problem);
    const handled = await handle(principal.value);
    return handled.ok ? c.json(handled.value) : reply(c, handled.problem);
  }

  /** What the principal may see: another environment's letter is none. */
  async function find(id: string, principal: Principal): Promise<Result<DeadLetter>> {
    const letter = await letters.get(id);
    const isSeen = letter !== null && mayMeet(principal, letter.environment);
    return isSeen ? ok(letter) : refuse("not-found", `There is no dead letter ${id}.`);
  }

  return new Hono<AppEnv<object>>()
    .get("/", (c) =>
      answer(c, async (principal) => {
        const limit = limitOf(c.req.query("limit"));
        if (!limit.ok) return limit;
        const page = await letters.list(limit.value, c.req.query("cursor"));
        if (page === null) {
          return refuse("invalid-parameter", "cursor is the `next` of the page before.");
        }
        const now = nowMs();
        return ok({
          deadLetters: page.letters
            .filter(({ environment }) => mayMeet(principal, environment))
            .map(({ putAsideAtMs, ...letter }) => ({
              ...letter,
              putAsideAt: new Date(putAsideAtMs).toISOString(),
              ageSeconds: Math.max(0, Math.round((now - putAsideAtMs) / 1_000)),
            })),
          next: page.next,
        });
      }),
    )
    .get("/:id", (c) =>
      answer(c, async (principal) => {
        const found = await find(c.req.param("id"), principal);
        if (!found.ok) return found;
        const { id, reason, queue, environment, body } = found.value;
        return ok({ id, reason, queue, environment, ...timesOf(found.value), body });
      }),
    )
    .post("/:id/replay", (c) =>
      answer(c, async (principal) => {
        const found = await find(c.req.param("id"), principal);
        if (!found.ok) return found;
        const { id, replayedAtMs } = found.value;
        if (replayedAtMs !== null) return ok({ id, ...timesOf(found.value) });
        const message = replayable(found.value);
        if (!message.ok) return message;
        const now = nowMs();
        try {
          await events.send(message.value);
        } catch (error) {
          console.error(JSON.stringify({ event: "replay-failed", id, error: String(error) }));
          return refuse("unavailable", "The queue did not take the message: try again.", {
            retryAfterSeconds: 2,
          });
        }
        await letters.markReplayed(found.value, now);
        console.log(JSON.stringify({ event: "dead-letter-replayed", id, actor: principal.key.id }));
        return ok({ id, ...timesOf({ ...found.value, replayedAtMs: now }) });
      }),
    );
}

/** The installation's key sees all of them; whose it is, a letter that cannot be read does not say to others. */
function mayMeet({ key, environment }: Principal, of: string | null): boolean {
  return key.environment === null || of === environment;
}

/** The same check that the consumer makes: what it would put aside again is not sent. */
function replayable({ body }: DeadLetter): Result<EventMessage> {
  try {
    if (typeof body !== "string") throw new TypeError("the body is not text");
    return ok(readEventMessage(body));
  } catch (error) {
    return refuse("not-possible", `The message still cannot be read: ${String(error)}`);
  }
}

function timesOf({ putAsideAtMs, replayedAtMs }: DeadLetter) {
  return {
    putAsideAt: new Date(putAsideAtMs).toISOString(),
    replayedAt: replayedAtMs === null ? null : new Date(replayedAtMs).toISOString(),
  };
}

function limitOf(text: string | undefined): Result<number> {
  const limit = Number(text ?? pageLength);
  return Number.isSafeInteger(limit) && limit >= 1 && limit <= longestPage
    ? ok(limit)
    : refuse("invalid-parameter", `limit is a whole number from 1 to ${longestPage}.`);
}
