/**
 * Where evaluations leave their exposures: sent after the answer, one message a shard, tried a few times. A failure never reaches the
 * evaluation; what is lost is counted, in the log and with the next message that goes out.
 * A unit that meets the same variant again soon is not sent again: only after a send that succeeded, so that none is ever skipped
 * for one that was lost.
 */

import { LRUCache } from "lru-cache";
import type { Later } from "../contracts/api-key.ts";
import { limits } from "../contracts/limits.ts";
import type { ExposureEvent } from "../counting/types.ts";
import type { EventQueue, SentEvents } from "./event-queue.ts";
import type { ServedSnapshot } from "./snapshot-store.ts";

const rememberMs = 10 * 60_000;
const mostRemembered = 20_000;
const retryAfterMs = [100, 500, 2_500];
/** Of events between two attempts: a queue that is down must not fill the isolate. */
const mostWaiting = 10_000;

/** What decided them. */
interface Decided {
  environment: string;
  snapshot: ServedSnapshot;
  nowMs: number;
  later: Later;
}

export interface ExposureLog {
  send(decided: Decided, exposures: readonly ExposureEvent[]): void;
}

/** One per isolate. */
export function exposureLog(queue: EventQueue, pause: (ms: number) => Promise<void>): ExposureLog {
  /** When an exposure was last sent, by identity. */
  const sentAtMs = new LRUCache<string, number>({ max: mostRemembered });
  /** By environment, since the last message that told. */
  const lost = new Map<string, number>();
  let waiting = 0;

  async function sendRepeatedly(message: SentEvents): Promise<void> {
    const count = message.events.length;
    for (const delayMs of retryAfterMs) {
      try {
        await queue.send(message);
        return;
      } catch (error) {
        if (waiting + count > mostWaiting) throw error;
      }
      waiting += count;
      await pause(delayMs);
      waiting -= count;
    }
    await queue.send(message);
  }

  function lose(environment: string, count: number, reason: string): void {
    lost.set(environment, (lost.get(environment) ?? 0) + count);
    console.error(JSON.stringify({ event: "exposures-lost", environment, count, reason }));
  }

  async function sendFresh(
    { environment, snapshot, nowMs }: Decided,
    exposures: readonly ExposureEvent[],
  ): Promise<void> {
    const events = new Map<string, ExposureEvent>();
    for (const exposure of exposures) {
      const identity = identityOf(environment, exposure);
      if (!isSendable(exposure.unit)) lose(environment, 1, "the unit is too long or ill-formed");
      else if (nowMs - (sentAtMs.get(identity) ?? -Infinity) >= rememberMs) {
        events.set(identity, exposure);
      }
    }
    if (events.size === 0) return;
    const untold = lost.get(environment) ?? 0;
    lost.delete(environment);
    try {
      await sendRepeatedly({
        environment,
        version: snapshot.published.version,
        receivedAtMs: nowMs,
        events: [...events.values()],
        ...(untold > 0 && { counts: { "dropped-exposures": untold } }),
      });
      for (const identity of events.keys()) sentAtMs.set(identity, nowMs);
    } catch (error) {
      if (untold > 0) lost.set(environment, (lost.get(environment) ?? 0) + untold);
      lose(environment, events.size, String(error));
    }
  }

  return {
    send(decided, exposures) {
      if (exposures.length > 0) decided.later(sendFresh(decided, exposures));
    },
  };
}

/** What the consumers of events take for a unit. */
function isSendable(unit: string): boolean {
  return unit.length <= limits.unitLength && unit.isWellFormed();
}

/** Keys are slugs without "/", a kind may be any text. */
function identityOf(
  environment: string,
  { experiment, phase, variant, kind, unit }: ExposureEvent,
): string {
  return `${environment}/${experiment}/${phase}/${variant}/${kind.length}/${kind}/${unit}`;
}
