/**
 * Dead letters in R2 ARCHIVE: one object each under `dead-letter/v1/`, moved to `replayed/v1/` when its message was sent again.
 * Strongly consistent. Hazard: a move is a write and a delete; in between both are there, and the letter counts as not replayed.
 */

import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { v7 as uuid } from "uuid";
import * as z from "zod/mini";
import { archivePrefixes, dateAndHour } from "../contracts/archive-keys.ts";

export interface DeadLetter {
  id: string;
  /** Why it could not be counted. */
  reason: string;
  queue: string;
  putAsideAtMs: number;
  /** As it came: usually text. */
  body: unknown;
  /** Null when not even that could be read. */
  environment: string | null;
  replayedAtMs: number | null;
}

export interface DeadLetterSummary extends Omit<DeadLetter, "body" | "replayedAtMs"> {
  bytes: number;
}

export interface DeadLetterPage {
  /** Oldest first. */
  letters: DeadLetterSummary[];
  /** The id after which the next page begins; null after the last page. */
  next: string | null;
}

export interface DeadLetterStore {
  putAside(letter: Pick<DeadLetter, "reason" | "queue" | "body">, nowMs: number): Promise<void>;
  /** Those not replayed, after that of the id `after`, which need not be there any more; null when it is no id. */
  list(limit: number, after?: string): Promise<DeadLetterPage | null>;
  /** Replayed or not. */
  get(id: string): Promise<DeadLetter | null>;
  markReplayed(letter: DeadLetter, nowMs: number): Promise<void>;
}

const { deadLetters: pending, replayedLetters: replayed } = archivePrefixes;
const uuidV7 = /^([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
/** R2 keeps 2 KB of metadata an object. */
const metadataReasonLength = 500;
const environmentId = z.string().check(z.regex(/^[!-~]{1,100}$/));

const storedLetter = z.object({
  v: z.literal(1),
  reason: z.string(),
  queue: z.string(),
  putAsideAtMs: z.number(),
  body: z.unknown(),
  replayedAtMs: z.exactOptional(z.number()),
});

type StoredLetter = z.output<typeof storedLetter>;

export function deadLetterStore(bucket: R2Bucket): DeadLetterStore {
  async function put(key: string, letter: StoredLetter) {
    const { reason, queue, body } = letter;
    const environment = environmentOf(body);
    await bucket.put(key, JSON.stringify(letter), {
      httpMetadata: { contentType: "application/json" },
      customMetadata: {
        queue,
        reason: reason.replaceAll(/[^ -~]/g, "?").slice(0, metadataReasonLength),
        ...(environment !== null && { environment }),
      },
    });
  }

  return {
    async putAside(letter, nowMs) {
      const id = uuid({ msecs: nowMs });
      await put(keyOf(pending, id, nowMs), { v: 1, ...letter, putAsideAtMs: nowMs });
    },

    async list(limit, after) {
      const afterMs = after === undefined ? null : timeOf(after);
      if (after !== undefined && afterMs === null) return null;
      const page = await bucket.list({
        prefix: pending,
        limit,
        include: ["customMetadata"],
        ...(after !== undefined &&
          afterMs !== null && { startAfter: keyOf(pending, after, afterMs) }),
      });
      const letters = page.objects.flatMap((object) => summaryOf(object) ?? []);
      return { letters, next: page.truncated ? (letters.at(-1)?.id ?? null) : null };
    },

    async get(id) {
      const atMs = timeOf(id);
      if (atMs === null) return null;
      for (const prefix of [pending, replayed]) {
        const object = await bucket.get(keyOf(prefix, id, atMs));
        if (object === null) continue;
        const { v: _, replayedAtMs = null, ...rest } = z.parse(storedLetter, await object.json());
        return { id, ...rest, environment: environmentOf(rest.body), replayedAtMs };
      }
      return null;
    },

    async markReplayed(letter, nowMs) {
      const { id, reason, queue, putAsideAtMs, body } = letter;
      await put(keyOf(replayed, id, putAsideAtMs), {
        v: 1,
        reason,
        queue,
        putAsideAtMs,
        body,
        replayedAtMs: nowMs,
      });
      await bucket.delete(keyOf(pending, id, putAsideAtMs));
    },
  };
}

function keyOf(prefix: string, id: string, atMs: number): string {
  return `${prefix}date=${dateAndHour(atMs).date}/${id}.json`;
}

/** A UUIDv7 begins with its time; null when it is none. */
function timeOf(id: string): number | null {
  const [, high, low] = uuidV7.exec(id) ?? [];
  return high === undefined || low === undefined ? null : Number.parseInt(high + low, 16);
}

function summaryOf({ key, size, customMetadata = {} }: R2Object): DeadLetterSummary | null {
  const id = /([\da-f-]{36})\.json$/.exec(key)?.[1];
  const putAsideAtMs = id === undefined ? null : timeOf(id);
  if (id === undefined || putAsideAtMs === null) return null;
  const { reason = "", queue = "", environment = null } = customMetadata;
  return { id, reason, queue, environment, putAsideAtMs, bytes: size };
}

/** What an unreadable message says of its environment, if it says anything that could be one. */
function environmentOf(body: unknown): string | null {
  try {
    const parsed: unknown = typeof body === "string" ? JSON.parse(body) : body;
    const known = z.safeParse(z.object({ environment: environmentId }), parsed);
    return known.success ? known.data.environment : null;
  } catch {
    return null;
  }
}
