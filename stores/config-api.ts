/**
 * Edgewise's public API as a server key sees it, over the network or over a service binding: the configuration to evaluate by, and
 * where exposures go when no queue is bound. Every call ends by its time limit; what fails rejects.
 */

import type { Fetcher } from "@cloudflare/workers-types";
import { limits } from "../contracts/limits.ts";
import type { CountedEvent } from "../counting/types.ts";
import type { EventQueue } from "./event-queue.ts";
import { snapshotMemory } from "./snapshot-store.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

const timeoutMs = 5_000;
/** As `GET /api/v1/config` tags its answer: environment and version. */
const tag = /^(?:W\/)?"(.+)\.(\d+)"$/;

/** A server key, and the way to where it is good: a service binding to the public worker, or its address. */
export type Api = { key: string; service: Fetcher } | { key: string; url: string };

async function call(api: Api, path: string, init: RequestInit): Promise<Response> {
  const request = { ...init, signal: AbortSignal.timeout(timeoutMs) };
  return "service" in api
    ? await api.service.fetch(`https://edgewise${path}`, request)
    : await fetch(new URL(path, api.url), request);
}

/** One per isolate. Its one environment is the key's, whatever name is asked for. */
export function apiSnapshots(api: Api): SnapshotStore {
  return snapshotMemory(async (_name, known) => {
    const authorization = `Bearer ${api.key}`;
    const response = await call(api, "/api/v1/config", {
      headers: {
        authorization,
        ...(known && { "if-none-match": `"${known.compiled.environment}.${known.version}"` }),
      },
    });
    if (response.status === 304 && known !== undefined) {
      await response.body?.cancel();
      const { version, text, compiled } = known;
      return { environment: compiled.environment, version, text };
    }
    const text = await response.text();
    if (!response.ok) throw new Error(`the configuration was refused with ${response.status}`);
    const [, environment = "", version = "Infinity"] =
      tag.exec(response.headers.get("etag") ?? "") ?? [];
    return { environment, version: Number(version), text };
  });
}

/** One per isolate. Rejects as well when the API takes only some: sending all again is harmless. */
export function apiEvents(api: Api): EventQueue {
  return {
    async send({ events }) {
      for (let at = 0; at < events.length; at += limits.batchEvents) {
        const batch = events.slice(at, at + limits.batchEvents).map(wireEvent);
        const response = await call(api, "/api/v1/events/batch", {
          method: "POST",
          headers: { authorization: `Bearer ${api.key}`, "content-type": "application/json" },
          body: JSON.stringify({ sentAt: new Date().toISOString(), events: batch }),
        });
        const text = await response.text();
        if (!response.ok) throw new Error(`the events were refused with ${response.status}`);
        if (!text.includes('"rejected":[]')) throw new Error(text.slice(0, 300));
      }
    },
  };
}

function wireEvent(event: CountedEvent): object {
  const { kind, unit, source: _source, timeMs, ...rest } = event;
  const who = event.type === "exposure" ? { unit } : { units: { [kind]: unit } };
  return { ...rest, ...who, timestamp: new Date(timeMs).toISOString() };
}
