/** A client that sends each batch until it is acknowledged, as the documentation asks of it. What it was not told it sends again, whole. */

import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod/mini";
import type { Random } from "./random.ts";

const sendersAtOnce = 4;
const answerTimeoutMs = 30_000;
const betweenAttemptsMs = 200;
const betweenBatchesMs = 10;
/** So often a client hangs up before it is answered, or sends what was acknowledged once more. */
const impatience = 0.02;

const acknowledgement = z.object({ accepted: z.number(), rejected: z.array(z.unknown()) });

export interface Progress {
  /** Events of batches that were acknowledged, each batch once. */
  acknowledged: number;
  requests: number;
  /** Requests by what became of them, but for those that were acknowledged. */
  unacknowledged: { [how: string]: number };
}

export interface Pace {
  /** When so many events are acknowledged, no more batches are sent until it is raised. */
  mostEvents: number;
}

export interface Destination {
  /** Of the Edgewise that runs, or is about to. */
  url: string;
  key: string;
}

/** Resolves when every batch has been acknowledged; rejects when one is refused for good. */
export async function sendAll(
  batches: Generator<object[]>,
  to: Destination,
  { draw, progress, pace }: { draw: Random; progress: Progress; pace: Pace },
): Promise<void> {
  async function isAcknowledged(body: string, events: number): Promise<boolean> {
    progress.requests++;
    const patienceMs = draw.chance(impatience) ? draw.whole(0, 40) : answerTimeoutMs;
    const missed = (how: string) => {
      progress.unacknowledged[how] = (progress.unacknowledged[how] ?? 0) + 1;
      return false;
    };
    try {
      const response = await fetch(`${to.url}/api/v1/events/batch`, {
        method: "POST",
        headers: { authorization: `Bearer ${to.key}`, "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await response.text();
      if (response.status >= 500) return missed(String(response.status));
      const { accepted, rejected } = z.parse(acknowledgement, JSON.parse(text));
      if (accepted === events && rejected.length === 0) return true;
      throw new Refusal(text.slice(0, 500));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      return missed(patienceMs < answerTimeoutMs ? "hung up" : "no answer");
    }
  }

  async function send(events: readonly object[]): Promise<void> {
    const body = JSON.stringify({ source: "import", events });
    while (!(await isAcknowledged(body, events.length))) await pause(betweenAttemptsMs);
    progress.acknowledged += events.length;
    if (draw.chance(impatience)) await isAcknowledged(body, events.length);
  }

  await Promise.all(
    Array.from({ length: sendersAtOnce }, async () => {
      for (let next = batches.next(); next.done !== true; next = batches.next()) {
        while (progress.acknowledged >= pace.mostEvents) await pause(betweenBatchesMs);
        await send(next.value);
      }
    }),
  );
}

class Refusal extends Error {}
