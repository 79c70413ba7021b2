/** The configuration, as far as a page may wait for it: half a second in a cold isolate, and after that for nothing until some time has passed. */

import type { Later } from "../contracts/api-key.ts";
import type { ServedSnapshot } from "../stores/snapshot-store.ts";

const patienceMs = 500;
/** Where there was none in time, pages are served as they are for so long before one waits again. */
const pauseMs = 5_000;

export interface Configuration {
  /** Null when nothing is published for the environment, or there is no such environment. */
  snapshot: (nowMs: number, later: Later) => Promise<ServedSnapshot | null>;
  /** When a page may wait again. */
  pause: { untilMs: number };
}

/** Null when there is none, or not in time; rejects when it cannot be had. */
export async function configurationInTime(
  { snapshot, pause }: Configuration,
  nowMs: number,
  later: Later,
): Promise<ServedSnapshot | null> {
  if (nowMs < pause.untilMs) return null;
  let served: ServedSnapshot | null = null;
  const asked = snapshot(nowMs, later);
  try {
    served = await inTime(asked, patienceMs);
  } finally {
    if (served === null) pause.untilMs = nowMs + pauseMs;
  }
  // What comes too late is there for a later page.
  if (served === null) later(asked.catch(() => {}));
  return served;
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: number | null = null;
  const late = new Promise<null>((answer) => {
    timer = setTimeout(() => answer(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
