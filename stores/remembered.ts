/**
 * What the isolate remembers of values in KV. Fresh, a value costs nothing; after that it is served once more while it is looked up in
 * the background; older still, it is waited for. While KV fails, the last known value stands, however old: who was known stays known.
 */

import { LRUCache } from "lru-cache";
import type { Later } from "../contracts/api-key.ts";

const freshMs = 30_000;
/** From here on a value is too old to be served before it has been looked up. */
const waitMs = 60_000;
/** That there is no value is remembered briefly, so that a flood of unknown names does not become a flood of reads. */
const unknownMs = 5_000;
/** One lookup at a time: the next may start when this one has not come back by then. */
const lookupMs = 10_000;
/** After a lookup that failed. */
const retryMs = 5_000;
/** Known and unknown names apart: no flood of unknown ones pushes out those that are known. */
const most = 10_000;

interface Entry<T> {
  value: T;
  checkedAtMs: number;
  nextLookupAtMs: number;
}

/** One per isolate. `load` answers null when there is no value, and rejects when KV fails. */
export function remembered<T extends object | string>(
  load: (name: string) => Promise<T | null>,
  nowMs: () => number,
): (name: string, later?: Later) => Promise<T | null> {
  const known = new LRUCache<string, Entry<T>>({ max: most });
  const unknown = new LRUCache<string, number>({ max: most });

  async function lookUp(name: string): Promise<T | null> {
    const value = await load(name);
    if (value === null) {
      known.delete(name);
      unknown.set(name, nowMs());
    } else {
      unknown.delete(name);
      known.set(name, { value, checkedAtMs: nowMs(), nextLookupAtMs: nowMs() + freshMs });
    }
    return value;
  }

  async function lookUpAgain(name: string, entry: Entry<T>): Promise<T | null> {
    entry.nextLookupAtMs = nowMs() + lookupMs;
    try {
      return await lookUp(name);
    } catch (error) {
      console.error(JSON.stringify({ event: "lookup-failed", error: String(error) }));
      entry.nextLookupAtMs = nowMs() + retryMs;
      return entry.value;
    }
  }

  return async (name, later) => {
    const now = nowMs();
    const entry = known.get(name);
    if (entry === undefined) {
      return now - (unknown.get(name) ?? -Infinity) < unknownMs ? null : await lookUp(name);
    }
    if (now < entry.nextLookupAtMs) return entry.value;
    const again = lookUpAgain(name, entry);
    if (later === undefined || now - entry.checkedAtMs >= waitMs) return await again;
    later(again);
    return entry.value;
  };
}
