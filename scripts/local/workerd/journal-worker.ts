/**
 * Makes Miniflare's queues, which live in memory, survive the end of the process: every message is in SQLite before its send returns,
 * is removed when it is acknowledged, and is sent again at the next start. Local only; in production Queues are durable.
 */

import type { DurableObjectNamespace, DurableObjectStub, Queue } from "@cloudflare/workers-types";
import { DurableObject } from "cloudflare:workers";

/** One a queue. */
export class QueueJournal extends DurableObject {
  readonly #sql = this.ctx.storage.sql;

  constructor(...args: ConstructorParameters<typeof DurableObject<object>>) {
    super(...args);
    this.#sql.exec(
      "create table if not exists message (id integer primary key autoincrement, body text not null)",
    );
  }

  append(bodies: string[]): number[] {
    return bodies.map((body) =>
      Number(
        this.#sql.exec("insert into message (body) values (?) returning id", body).one()["id"],
      ),
    );
  }

  remove(ids: number[]): void {
    this.#sql.exec(
      "delete from message where id in (select value from json_each(?))",
      JSON.stringify(ids),
    );
  }

  pending(): number {
    return Number(this.#sql.exec("select count(*) as n from message").one()["n"]);
  }

  after(id: number, limit: number): { id: number; body: string }[] {
    return this.#sql
      .exec<{ id: number; body: string }>(
        "select id, body from message where id > ? order by id limit ?",
        id,
        limit,
      )
      .toArray();
  }
}

/** The queues by name, as producers, and their journals. */
interface Env {
  JOURNAL: DurableObjectNamespace<QueueJournal>;
  QUEUES: string[];
  [queue: string]: unknown;
}

const page = 100;

export default {
  /** `POST` sends every journalled message again, `GET` counts them; both answer messages by queue. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const messages: Record<string, number> = {};
    for (const name of env.QUEUES) {
      const journal = env.JOURNAL.getByName(name);
      messages[name] =
        request.method === "POST"
          ? await resend(name, env[name], journal)
          : await journal.pending();
    }
    return Response.json(messages);
  },
};

async function resend(
  name: string,
  queue: unknown,
  journal: DurableObjectStub<QueueJournal>,
): Promise<number> {
  if (!isQueue(queue)) throw new Error(`no producer of ${name}`);
  let sent = 0;
  let last = 0;
  for (;;) {
    const messages = await journal.after(last, page);
    for (const { id, body } of messages) {
      await queue.send(journalledBody(name, id, body), { contentType: "text" });
      last = id;
      sent += 1;
    }
    if (messages.length < page) return sent;
  }
}

export function isQueue(binding: unknown): binding is Queue<string> {
  return (
    typeof binding === "object" && binding !== null && "send" in binding && "sendBatch" in binding
  );
}

/** What travels through the emulator's queue: where the journal has it, then the message. */
export function journalledBody(queue: string, id: number, body: string): string {
  return `${queue}:${id}\n${body}`;
}
