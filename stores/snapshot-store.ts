/**
 * Compiled snapshots in the isolate, in front of KV: no read on a warm request, refreshed in the background,
 * and the last good one goes on serving when KV fails or its value does not parse.
 * Hazard: KV is eventually consistent and may answer with an older version than it did before; the newest seen is kept.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import { LRUCache } from "lru-cache";
import * as z from "zod/mini";
import { configKeys } from "../contracts/config-keys.ts";
import { snapshot } from "../contracts/snapshot.ts";
import { compile } from "../core/index.ts";
import type { CompiledSnapshot } from "../core/index.ts";

const freshMs = 10_000;
/** A refresh that has not come back by then is given up on, and another may start. */
const refreshTimeoutMs = 10_000;
const kvCacheTtlSeconds = 30;
/** Measured on JSON length; a compiled snapshot takes a few times that of the isolate's 128 MB. */
const cacheBytes = 24_000_000;

export interface ServedSnapshot {
  compiled: CompiledSnapshot;
  version: number;
  /** By experiment: the attributes that its exposures carry along. */
  dimensions: ReadonlyMap<string, readonly string[]>;
  /** True when the last refresh failed: what is served may be older than the propagation bound. */
  stale: boolean;
  ageMs: number;
}

interface Entry {
  compiled: CompiledSnapshot;
  version: number;
  dimensions: ReadonlyMap<string, readonly string[]>;
  bytes: number;
  checkedAtMs: number;
  refreshStartedAtMs: number | null;
  stale: boolean;
}

export interface SnapshotStore {
  /** Null when there is none; rejects when KV fails and none is in memory. */
  get(
    environment: string,
    nowMs: number,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<ServedSnapshot | null>;
}

/** One per isolate. */
export function snapshotStore(kv: KVNamespace): SnapshotStore {
  const entries = new LRUCache<string, Entry>({
    maxSize: cacheBytes,
    sizeCalculation: (entry) => entry.bytes,
  });

  async function load(environment: string, nowMs: number): Promise<Entry | null> {
    const text = await kv.get(configKeys.snapshot(environment), { cacheTtl: kvCacheTtlSeconds });
    if (text === null) return null;
    const known = entries.peek(environment);
    const parsed = z.parse(snapshot, JSON.parse(text));
    if (known !== undefined && parsed.version <= known.version) {
      return { ...known, checkedAtMs: nowMs, refreshStartedAtMs: null, stale: false };
    }
    return {
      compiled: compile(parsed),
      version: parsed.version,
      dimensions: new Map(parsed.experiments.map(({ key, dimensions = [] }) => [key, dimensions])),
      bytes: text.length,
      checkedAtMs: nowMs,
      refreshStartedAtMs: null,
      stale: false,
    };
  }

  async function refresh(environment: string, entry: Entry, nowMs: number): Promise<void> {
    try {
      const loaded = await load(environment, nowMs);
      if (loaded !== null) entries.set(environment, loaded);
    } catch (error) {
      entry.stale = true;
      console.error(
        JSON.stringify({ event: "snapshot-refresh-failed", environment, error: String(error) }),
      );
    } finally {
      entry.refreshStartedAtMs = null;
    }
  }

  return {
    async get(environment, nowMs, waitUntil) {
      const entry = entries.get(environment);
      if (entry === undefined) {
        const loaded = await load(environment, nowMs);
        if (loaded === null) return null;
        entries.set(environment, loaded);
        return served(loaded, nowMs);
      }
      const refreshing =
        entry.refreshStartedAtMs !== null && nowMs - entry.refreshStartedAtMs < refreshTimeoutMs;
      if (nowMs - entry.checkedAtMs >= freshMs && !refreshing) {
        entry.refreshStartedAtMs = nowMs;
        waitUntil(refresh(environment, entry, nowMs));
      }
      return served(entry, nowMs);
    },
  };
}

function served(entry: Entry, nowMs: number): ServedSnapshot {
  return {
    compiled: entry.compiled,
    version: entry.version,
    dimensions: entry.dimensions,
    stale: entry.stale,
    ageMs: nowMs - entry.checkedAtMs,
  };
}
