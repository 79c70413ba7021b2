/** Dead letters: messages that no attempt could count are kept in the archive with the reason, and acknowledged only then. */

import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { DeadLetterStore } from "../../stores/dead-letter-store.ts";
import { decide } from "./decide.ts";

type Letters = Pick<DeadLetterStore, "putAside">;

export async function putAside(
  message: Message,
  { reason, queue }: { reason: string; queue: string },
  letters: Letters,
  nowMs: number,
): Promise<void> {
  try {
    await letters.putAside({ reason, queue, body: message.body }, nowMs);
    message.ack();
  } catch (error) {
    console.error(JSON.stringify({ event: "put-aside-failed", queue, error: String(error) }));
    const decided = decide({ kind: "unavailable" }, message.attempts);
    if (decided.action === "retry") message.retry({ delaySeconds: decided.delaySeconds });
  }
}

/** What Queues itself gave up on, after more attempts than any outage should last. */
export async function putAllAside(
  batch: MessageBatch,
  letters: Letters,
  nowMs: number,
): Promise<void> {
  const from = { reason: "attempts exhausted", queue: batch.queue };
  for (const message of batch.messages) await putAside(message, from, letters, nowMs);
}
