/**
 * The consumer that one would write first, to compare with: each event is inserted as a row of its own, unless it is there, a message a
 * transaction. It counts nothing: figures would take a scan of both tables.
 */
import type { D1Database, MessageBatch } from "@cloudflare/workers-types";
import { readEventMessage } from "../contracts/queue-message.ts";

export async function insertEach(
  batch: MessageBatch<string>,
  env: Record<string, D1Database>,
): Promise<void> {
  const db = env[`METRICS_${batch.queue.split("-").at(-1)}`];
  if (db === undefined) throw new Error(`${batch.queue} has no database`);
  const exposure = db.prepare(
    "INSERT OR IGNORE INTO exposure VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
  );
  const outcome = db.prepare("INSERT OR IGNORE INTO outcome VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  const note = db.prepare(
    "INSERT INTO counters VALUES (?1, 0, 'folded-events', ?2) ON CONFLICT DO UPDATE SET n = n + excluded.n",
  );
  for (const message of batch.messages) {
    const { environment, events } = readEventMessage(message.body);
    const inserts = events.map((event) => {
      const { kind, unit, timeMs } = event;
      return event.type === "exposure"
        ? exposure.bind(
            environment,
            event.experiment,
            event.phase ?? null,
            kind,
            unit,
            event.variant,
            timeMs,
            JSON.stringify(event.attributes ?? null),
          )
        : outcome.bind(environment, kind, unit, event.id, event.name, event.value ?? null, timeMs);
    });
    await db.batch([...inserts, note.bind(environment, events.length)]);
    message.ack();
  }
}
