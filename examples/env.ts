/** The examples' bindings (wrangler.toml). */

import type { Fetcher, KVNamespace, Queue } from "@cloudflare/workers-types";

export interface Env {
  EDGEWISE: Fetcher;
  /** A server key. */
  EDGEWISE_KEY: string;
  EDGEWISE_ENVIRONMENT: string;
  CONFIG: KVNamespace;
  EVENTS_0: Queue<string>;
  EVENTS_1: Queue<string>;
  EVENTS_2: Queue<string>;
  EVENTS_3: Queue<string>;
}
