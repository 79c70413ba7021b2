/** What waits in the queues EVENTS_0…n, as the platform tells it: in near real time, not to the message. */

import type { Queue } from "@cloudflare/workers-types";

export interface QueueBacklog {
  messages: number;
  bytes: number;
  /** When the oldest message that is not acknowledged was sent; null when there is none. */
  oldestAtMs: number | null;
}

/** One entry a queue; null where the platform does not tell. */
export async function queueBacklogs(
  queues: readonly Queue<string>[],
): Promise<(QueueBacklog | null)[]> {
  return await Promise.all(queues.map(backlogOf));
}

async function backlogOf(queue: Queue<string>): Promise<QueueBacklog | null> {
  try {
    const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
    const oldestAtMs = oldestMessageTimestamp?.getTime() ?? 0;
    return {
      messages: backlogCount,
      bytes: backlogBytes,
      oldestAtMs: backlogCount > 0 && oldestAtMs > 0 ? oldestAtMs : null,
    };
  } catch (error) {
    console.error(JSON.stringify({ event: "backlog-unavailable", error: String(error) }));
    return null;
  }
}
