/**
 * What a shard notes beside its cells: how far it has come, and the counts that travelled with the messages.
 * Newest times are exact, since a repetition cannot change a maximum. Counts are at least once: a redelivered message counts again.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import type { EventBatch } from "../counting/fold.ts";
import { jsonParameters } from "./json-parameters.ts";

const hourMs = 3_600_000;

export function progressStatements(
  db: D1Database,
  batches: readonly EventBatch[],
  nowMs: number,
): D1PreparedStatement[] {
  const counts = new Map<string, [environment: string, hour: number, name: string, n: number]>();
  let newestEventMs = 0;
  let newestReceivedMs = 0;
  for (const { environment, receivedAtMs, events, counts: more } of batches) {
    newestReceivedMs = Math.max(newestReceivedMs, receivedAtMs);
    for (const { timeMs } of events) newestEventMs = Math.max(newestEventMs, timeMs);
    const hour = Math.floor(receivedAtMs / hourMs);
    for (const [name, n] of Object.entries({ "folded-events": events.length, ...more })) {
      const key = JSON.stringify([environment, hour, name]);
      counts.set(key, [environment, hour, name, (counts.get(key)?.[3] ?? 0) + n]);
    }
  }
  const progress = db
    .prepare(
      `INSERT INTO progress (id, newest_event_ms, newest_received_ms, folded_at_ms) VALUES (1, ?1, ?2, ?3)
       ON CONFLICT (id) DO UPDATE SET newest_event_ms = max(newest_event_ms, excluded.newest_event_ms),
         newest_received_ms = max(newest_received_ms, excluded.newest_received_ms),
         folded_at_ms = max(folded_at_ms, excluded.folded_at_ms)`,
    )
    .bind(newestEventMs, newestReceivedMs, nowMs);
  const add = db.prepare(
    `INSERT INTO counters (environment, hour, name, n)
     SELECT row.value ->> 0, row.value ->> 1, row.value ->> 2, row.value ->> 3
     FROM json_each(?1) AS row WHERE (row.value ->> 3) <> 0
     ON CONFLICT (environment, hour, name) DO UPDATE SET n = n + excluded.n`,
  );
  const rows = [...counts.values()].map((row) => JSON.stringify(row));
  return [
    progress,
    ...jsonParameters(rows, { open: "[", close: "]" }).map((parameter) => add.bind(parameter)),
  ];
}
