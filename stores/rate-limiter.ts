/**
 * How often a key may ask. Requests are counted after their answers, a thousand at a time, by the platform's rate limiter (one count a
 * location); when it refuses, the isolate refuses the key until the period ends. Nobody waits for a count, so a little more than
 * the limit may pass. A rate limiter that fails refuses nobody.
 */

import type { RateLimit } from "@cloudflare/workers-types";
import { LRUCache } from "lru-cache";
import type { Later } from "../contracts/api-key.ts";

/** One count stands for so many requests, so that counting costs next to nothing. wrangler.toml's limit is in these. */
const requestsACount = 1_000;
/** As in wrangler.toml. */
const periodMs = 60_000;

export interface RateLimiter {
  /** Counts a request. The seconds until the key may ask again: 0 when it may now. */
  take(keyId: string, nowMs: number, later: Later): number;
}

interface Taken {
  requests: number;
  blockedUntilMs: number;
}

/** One per isolate. */
export function rateLimiter(binding: RateLimit): RateLimiter {
  const taken = new LRUCache<string, Taken>({ max: 10_000 });

  async function count(keyId: string, key: Taken, nowMs: number): Promise<void> {
    try {
      const { success } = await binding.limit({ key: keyId });
      if (success) return;
      key.blockedUntilMs = (Math.floor(nowMs / periodMs) + 1) * periodMs;
      console.warn(JSON.stringify({ event: "rate-limited", key: keyId }));
    } catch (error) {
      console.error(JSON.stringify({ event: "rate-limiter-failed", error: String(error) }));
    }
  }

  return {
    take(keyId, nowMs, later) {
      let key = taken.get(keyId);
      if (key === undefined) {
        key = { requests: 0, blockedUntilMs: 0 };
        taken.set(keyId, key);
      }
      if (nowMs < key.blockedUntilMs) return Math.ceil((key.blockedUntilMs - nowMs) / 1_000);
      key.requests += 1;
      if (key.requests % requestsACount === 0) later(count(keyId, key, nowMs));
      return 0;
    },
  };
}
