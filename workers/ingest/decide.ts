/** What becomes of a queue message: the one place that answers ack, retry or dead-letter. */

/** What happened to it: counted, refused for good, or prevented for now. */
export type Fate =
  | { kind: "counted" }
  /** Not of a format that is known; no later attempt would read it. */
  | { kind: "unreadable"; reason: string }
  /** Judged by a newer plan than KV has here. */
  | { kind: "plan-behind" }
  /** R2, D1 or KV failed. */
  | { kind: "unavailable" };

export type Action =
  | { action: "ack" }
  | { action: "retry"; delaySeconds: number }
  /** Keep it in the archive with the reason, then acknowledge it. */
  | { action: "dead-letter"; reason: string };

const backOffSeconds = 900;
/** From this attempt on an outage is an incident; the 100 attempts that a queue allows then last ten days, of the fourteen for which it keeps messages. */
const incidentAttempts = 40;
const incidentBackOffSeconds = 4 * 3_600;
/** KV usually catches up within a minute. */
const planBackOffSeconds = 60;

/** `attempts` counts this one. */
export function decide(fate: Fate, attempts: number): Action {
  switch (fate.kind) {
    case "counted":
      return { action: "ack" };
    case "unreadable":
      return { action: "dead-letter", reason: fate.reason };
    case "plan-behind":
      return { action: "retry", delaySeconds: backOff(attempts, planBackOffSeconds) };
    case "unavailable":
      return { action: "retry", delaySeconds: backOff(attempts, backOffSeconds) };
    default:
      return fate satisfies never;
  }
}

/** 2, 4, 8 … seconds. */
function backOff(attempts: number, mostSeconds: number): number {
  return attempts >= incidentAttempts
    ? incidentBackOffSeconds
    : Math.min(2 ** attempts, mostSeconds);
}
