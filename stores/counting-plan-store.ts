/**
 * Counting plans in the isolate, in front of KV. The newest seen is kept: while KV fails, or holds a value that does
 * not parse, or answers with an older version than before, the last good one goes on serving.
 * Hazard: KV is eventually consistent; a published plan may take 60 s and sometimes more to arrive.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import { LRUCache } from "lru-cache";
import * as z from "zod/mini";
import { configKeys } from "../contracts/config-keys.ts";
import { countingPlan } from "../contracts/counting-plan.ts";
import { compilePlan } from "../counting/plan.ts";
import type { CompiledPlan } from "../counting/plan.ts";
import type { CountingPlan } from "../counting/types.ts";

const freshMs = 10_000;
/** Whoever needs a newer plan than the one in memory makes KV be read again, but not more often than this. */
export const planReloadMs = 1_000;
const kvCacheTtlSeconds = 30;
/** Measured on JSON length; a compiled plan takes a few times that of the isolate's 128 MB. */
const cacheBytes = 8_000_000;

interface Entry {
  plan: CompiledPlan;
  bytes: number;
  checkedAtMs: number;
}

export interface CountingPlanStore {
  /** An environment that has published nothing has an empty plan of version 0. Rejects when KV fails and none is in memory. */
  get(environment: string, nowMs: number): Promise<CompiledPlan>;
  /** As `get`, but looks again for a plan that is newer than this one. */
  getNewer(known: { environment: string; version: number }, nowMs: number): Promise<CompiledPlan>;
}

/** One per isolate. */
export function countingPlanStore(kv: KVNamespace): CountingPlanStore {
  const entries = new LRUCache<string, Entry>({
    maxSize: cacheBytes,
    // One that is larger stays alone: it would be read again for every batch.
    sizeCalculation: ({ bytes }) => Math.min(bytes, cacheBytes),
  });

  async function load(environment: string, nowMs: number): Promise<Entry> {
    const known = entries.get(environment);
    try {
      const text = await kv.get(configKeys.counting(environment), { cacheTtl: kvCacheTtlSeconds });
      const plan = text === null ? nothing(environment) : z.parse(countingPlan, JSON.parse(text));
      if (known === undefined || plan.version > known.plan.version) {
        return { plan: compilePlan(plan), bytes: text?.length ?? 100, checkedAtMs: nowMs };
      }
    } catch (error) {
      console.error(
        JSON.stringify({ event: "counting-plan-unavailable", environment, error: String(error) }),
      );
      if (known === undefined) throw error;
    }
    return { ...known, checkedAtMs: nowMs };
  }

  async function get(environment: string, nowMs: number, maxAgeMs: number): Promise<CompiledPlan> {
    const known = entries.get(environment);
    if (known !== undefined && nowMs - known.checkedAtMs < maxAgeMs) return known.plan;
    const entry = await load(environment, nowMs);
    entries.set(environment, entry);
    return entry.plan;
  }

  return {
    get: (environment, nowMs) => get(environment, nowMs, freshMs),
    async getNewer({ environment, version }, nowMs) {
      const plan = await get(environment, nowMs, freshMs);
      return plan.version > version ? plan : get(environment, nowMs, planReloadMs);
    },
  };
}

function nothing(environment: string): CountingPlan {
  return { formatVersion: 1, environment, version: 0, outcomes: [], experiments: [] };
}
