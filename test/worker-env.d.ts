/** The bindings that tests in workerd have (vitest.config.ts). */

interface D1Migration {
  name: string;
  queries: string[];
}

declare namespace Cloudflare {
  interface Env {
    CONFIG: KVNamespace;
    ARCHIVE: R2Bucket;
    CONTROL: D1Database;
    METRICS_0: D1Database;
    METRICS_1: D1Database;
    EVENTS_0: Queue<string>;
    EVENTS_1: Queue<string>;
    KEY_REQUESTS: RateLimit;
    CONTROL_MIGRATIONS: D1Migration[];
    METRICS_MIGRATIONS: D1Migration[];
  }
}
