/** What the middleware is given, and the stores that it makes of it: once for the life of the isolate. */

import type { Fetcher, KVNamespace, Queue } from "@cloudflare/workers-types";
import type { Context } from "../core/index.ts";
import { apiEvents, apiSnapshots } from "../stores/config-api.ts";
import { eventQueue } from "../stores/event-queue.ts";
import type { EventQueue } from "../stores/event-queue.ts";
import { exposureLog } from "../stores/exposure-log.ts";
import type { ExposureLog } from "../stores/exposure-log.ts";
import { keyStore } from "../stores/key-store.ts";
import { snapshotStore } from "../stores/snapshot-store.ts";
import type { Configuration } from "./configuration.ts";
import { pageNotes } from "./notes.ts";
import type { Notes } from "./notes.ts";
import type { Consent, VisitorSource } from "./visitor.ts";

/** Edgewise's API, with a server key: over a service binding to the public worker, or at its address. */
export type Api = { key: string; service: Fetcher } | { key: string; url: string };

/** The KV namespace that Edgewise publishes to, and the environment: `customer/environment`. */
export interface PublishedTo {
  kv: KVNamespace;
  environment: string;
}

/** The queues that Edgewise's public worker sends to: EVENTS_0, EVENTS_1, … all of them and in this order, since a unit has its own. */
export interface EventQueues {
  queues: readonly Queue<string>[];
}

interface Behaviour {
  /** Who a visitor is; a cookie `edgewise_visitor` when absent. */
  visitor?: VisitorSource;
  /** Asked before a visitor is recognised or given a cookie. Without consent: control, and nothing is counted. */
  consent?: Consent;
  /** Attributes for targeting, beside what the edge knows. */
  attributes?: (request: Request) => Context | Promise<Context>;
  /** Flags whose evaluations are written into the head of every page, as JSON; their rules never are. */
  bootstrap?: "all" | readonly string[];
}

/** Exposures go where the configuration comes from, or to `exposures`. */
export type EdgewiseOptions = Behaviour &
  (
    | { config: Api; exposures?: Api | EventQueues }
    | { config: PublishedTo; exposures: Api | EventQueues }
  );

export interface Services extends Configuration {
  exposures: ExposureLog;
  notes: Notes;
  nowMs: () => number;
  behaviour: Behaviour;
}

/** Of cookies and headers (RFC 9110, 5.6.2). */
const token = /^[\w!#$%&'*+.^`|~-]+$/;

/** One per isolate. Throws on options that can never be used. */
export function servicesOf(options: EdgewiseOptions, nowMs: () => number = Date.now): Services {
  const name = nameIn(options.visitor);
  if (name !== null && !token.test(name)) {
    throw new TypeError(`visitor: ${JSON.stringify(name)} is no name of a cookie or header`);
  }
  return {
    snapshot: snapshotsOf(options.config),
    pause: { untilMs: 0 },
    exposures: exposureLog(eventsOf(options), wait),
    notes: pageNotes(nowMs),
    nowMs,
    behaviour: options,
  };
}

function nameIn(visitor: VisitorSource | undefined): string | null {
  if (visitor === undefined || "id" in visitor) return null;
  if ("header" in visitor) return visitor.header;
  return "cookie" in visitor ? visitor.cookie : visitor.cookieName;
}

function snapshotsOf(config: Api | PublishedTo): Services["snapshot"] {
  if (!("kv" in config)) {
    const snapshots = apiSnapshots(config);
    return (nowMs, later) => snapshots.get("", nowMs, later);
  }
  const { kv, environment } = config;
  const keys = keyStore(kv);
  const snapshots = snapshotStore(kv);
  return async (nowMs, later) => {
    const id = await keys.environmentOf(environment, later);
    return id === null ? null : await snapshots.get(id, nowMs, later);
  };
}

function eventsOf(options: EdgewiseOptions): EventQueue {
  const target = options.exposures ?? options.config;
  if ("queues" in target) return eventQueue(target.queues);
  if ("kv" in target) throw new TypeError("exposures: say where they go");
  return apiEvents(target);
}

async function wait(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
