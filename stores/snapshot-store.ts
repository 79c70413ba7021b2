/**
 * Compiled snapshots in the isolate, in front of KV or the config API: no read on a warm request, refreshed in the background, one
 * refresh at a time. The last good one goes on serving, marked stale, when reading fails or what is read cannot be used: not JSON, of
 * a format that is not known here, or another environment's. What one environment is served from never depends on another.
 * Hazard: both are eventually consistent and may answer with an older version than they did before; the newest seen is kept.
 */

import type { KVNamespace } from "@cloudflare/workers-types";
import { LRUCache } from "lru-cache";
import * as z from "zod/mini";
import type { Later } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import { readSnapshot } from "../contracts/read-snapshot.ts";
import { compile } from "../core/index.ts";
import type { CompiledSnapshot } from "../core/index.ts";

const freshMs = 10_000;
/** A refresh that has not come back by then is given up on, and another may start. */
const refreshTimeoutMs = 10_000;
/** From here on what is in memory is too old to be served before KV has been asked, by an isolate that was idle. */
const waitMs = 60_000;
/** Nobody waits longer for KV: what is in memory is served, or nothing. */
const longestWaitMs = 2_000;
const kvCacheTtlSeconds = 30;
/** Of published text. With what is compiled from it, a snapshot takes about six times that of the isolate's 128 MB. */
const cacheBytes = 10_000_000;

/** What is served from, the same object until a newer version is. */
export interface Published {
  version: number;
  compiled: CompiledSnapshot;
  /** By experiment: the attributes that its exposures carry along. */
  dimensions: ReadonlyMap<string, readonly string[]>;
  /** As published. */
  text: string;
}

export interface ServedSnapshot {
  published: Published;
  /** True when the last refresh failed: what is served may be older than the propagation bound. */
  stale: boolean;
  ageMs: number;
}

interface Entry {
  published: Published;
  checkedAtMs: number;
  nextRefreshAtMs: number;
  stale: boolean;
}

export interface SnapshotStore {
  /** Null when there is none; rejects when reading fails, or what is read cannot be used, and none is in memory. */
  get(environment: string, nowMs: number, later: Later): Promise<ServedSnapshot | null>;
}

export interface PublishedText {
  /** The environment's id: a text that says another one is not used. */
  environment: string;
  /** Infinite when it is not told beside the text. */
  version: number;
  text: string;
}

/**
 * What is published, by a name that stands for an environment. Null when nothing is; rejects when it cannot be reached.
 * What is known already may be answered as it is.
 */
export type ReadPublished = (
  name: string,
  known: Published | undefined,
) => Promise<PublishedText | null>;

/** One per isolate. */
export function snapshotStore(kv: KVNamespace): SnapshotStore {
  return snapshotMemory(async (environment) => {
    const { value, metadata } = await kv.getWithMetadata(configKeys.snapshot(environment), {
      type: "text",
      cacheTtl: kvCacheTtlSeconds,
    });
    return value === null ? null : { environment, version: versionOf(metadata), text: value };
  });
}

/** One per isolate. */
export function snapshotMemory(read: ReadPublished): SnapshotStore {
  const entries = new LRUCache<string, Entry>({
    maxSize: cacheBytes,
    // One that is larger than all others may be stays alone.
    sizeCalculation: ({ published }) => Math.min(published.text.length, cacheBytes),
  });
  let failures = 0;

  /** Null when there is none. */
  async function load(environment: string, nowMs: number): Promise<Entry | null> {
    const text = await read(environment, entries.peek(environment)?.published);
    if (text === null) return null;
    // Another request may have read it meanwhile.
    const known = entries.peek(environment)?.published;
    const isKnown = known !== undefined && text.version <= known.version;
    const published = isKnown ? known : publishedFrom(text);
    const entry = {
      published: known !== undefined && published.version <= known.version ? known : published,
      checkedAtMs: nowMs,
      nextRefreshAtMs: nowMs + freshMs,
      stale: false,
    };
    entries.set(environment, entry);
    return entry;
  }

  async function refresh(environment: string, entry: Entry, nowMs: number): Promise<void> {
    try {
      if ((await load(environment, nowMs)) !== null) return;
      throw new Error("the value is gone");
    } catch (error) {
      failures += 1;
      entry.stale = true;
      entry.nextRefreshAtMs = nowMs + freshMs;
      console.error(
        JSON.stringify({
          event: "snapshot-refresh-failed",
          environment,
          servedVersion: entry.published.version,
          failuresOfIsolate: failures,
          error: String(error).slice(0, 300),
        }),
      );
    }
  }

  return {
    async get(environment, nowMs, later) {
      const known = entries.get(environment);
      // Requests cannot wait for each other's reads in Workers: a cold isolate reads once for each until the first has come back.
      const entry = known ?? (await inTime(load(environment, nowMs)));
      if (entry === null) return null;
      if (nowMs >= entry.nextRefreshAtMs) {
        entry.nextRefreshAtMs = nowMs + refreshTimeoutMs;
        const refreshed = refresh(environment, entry, nowMs);
        later(refreshed);
        if (nowMs - entry.checkedAtMs >= waitMs) await inTime(refreshed).catch(() => {});
      }
      const { published, stale, checkedAtMs } = entries.get(environment) ?? entry;
      return { published, stale, ageMs: nowMs - checkedAtMs };
    },
  };
}

/** Rejects when it takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("the configuration does not answer")),
    longestWaitMs,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the publisher notes beside the value; infinite when it is not there, so that the value itself is read. */
function versionOf(metadata: unknown): number {
  const read = z.safeParse(z.object({ version: z.number() }), metadata);
  return read.success ? read.data.version : Infinity;
}

function publishedFrom({ text, environment }: PublishedText): Published {
  const parsed = readSnapshot(text);
  if (parsed.environment !== environment) {
    throw new Error(`the value is of environment ${parsed.environment}`);
  }
  return {
    version: parsed.version,
    compiled: compile(parsed),
    dimensions: new Map(parsed.experiments.map(({ key, dimensions = [] }) => [key, dimensions])),
    text,
  };
}
