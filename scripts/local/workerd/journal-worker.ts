/**
 * Makes Miniflare's queues, which live in memory, survive the end of the process: a message is in SQLite before its send returns,
 * goes on to the emulator's queue in a batch with others, is removed when it is acknowledged, and is sent again at the next start.
 * Local only; in production Queues are durable.
 */

import type { DurableObjectNamespace, MessageSendRequest, Queue } from "@cloudflare/workers-types";
import { DurableObject } from "cloudflare:workers";
import { limits } from "../../../contracts/limits.ts";
import { utf8Length } from "../../../counting/utf8.ts";

/** The queues by name, as producers, and their journals. */
interface Env {
  JOURNAL: DurableObjectNamespace<QueueJournal>;
  QUEUES: string[];
  [queue: string]: unknown;
}

/** Between two sends to the emulator's queue, which cost as much for one message as for many. */
const gatherMs = 100;
/** After the emulator's queue refused. */
const retryMs = 500;

type Row = { id: number; body: string; up_to: number };

/** One a queue, named like it. */
export class QueueJournal extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;
  readonly #arrived: { body: string; delaySeconds: number }[] = [];
  /** By id, of messages that are yet to be sent; forgotten with the process. */
  readonly #delays = new Map<number, number>();
  #writing: Promise<void> | null = null;
  #forwarding = false;

  constructor(...args: ConstructorParameters<typeof DurableObject<Env>>) {
    super(...args);
    this.#sql.exec(`
      create table if not exists message (id integer primary key autoincrement, body text not null);
      create table if not exists sent (up_to integer not null);
      create table if not exists arrival (last_id integer primary key, at_ms integer not null);
      insert into sent select 0 where not exists (select 1 from sent);
    `);
  }

  /** Resolves when the messages are in SQLite: what arrives meanwhile shares the next commit. */
  async append(bodies: string[], delaySeconds: number): Promise<void> {
    this.#arrived.push(...bodies.map((body) => ({ body, delaySeconds })));
    await (this.#writing ??= this.#write());
  }

  async #write(): Promise<void> {
    await pause(0);
    this.#writing = null;
    let lastId = 0;
    for (const { body, delaySeconds } of this.#arrived.splice(0)) {
      this.#sql.exec("insert into message (body) values (?)", body);
      lastId = this.#lastId();
      if (delaySeconds > 0) this.#delays.set(lastId, delaySeconds);
    }
    this.#sql.exec("insert or replace into arrival values (?, ?)", lastId, Date.now());
    this.#sql.exec("delete from arrival where last_id < (select min(id) from message)");
    this.#forward();
  }

  #lastId(): number {
    return Number(this.#sql.exec("select last_insert_rowid() as id").one()["id"]);
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

  /** What Queues tells of a queue; `oldestAtMs` is null when nothing waits. */
  backlog(): { messages: number; bytes: number; oldestAtMs: number | null } {
    const { messages, bytes, oldest } = this.#sql
      .exec<{ messages: number; bytes: number; oldest: number | null }>(
        `select count(*) as messages, coalesce(sum(octet_length(body)), 0) as bytes,
           (select min(at_ms) from arrival where last_id >= (select min(id) from message)) as oldest
         from message`,
      )
      .one();
    return { messages, bytes, oldestAtMs: oldest };
  }

  /** Once a start: what was sent before lived in the memory of a process that has ended. Answers how many messages there are. */
  sendAgain(): number {
    this.#sql.exec("update sent set up_to = 0");
    this.#forward();
    return this.pending();
  }

  #forward(): void {
    if (this.#forwarding) return;
    this.#forwarding = true;
    this.ctx.waitUntil(this.#forwardAll());
  }

  async #forwardAll(): Promise<void> {
    const name = this.ctx.id.name ?? "";
    const queue = this.env[name];
    if (!isQueue(queue)) throw new Error(`no producer of ${name}`);
    for (let batch = this.#batch(); batch.length > 0; batch = this.#batch()) {
      try {
        await queue.sendBatch(batch.map((row) => this.#request(name, row)));
        for (const { id } of batch) this.#delays.delete(id);
        this.#advance(batch);
        if (batch.length < limits.queueBatchMessages) await pause(gatherMs);
      } catch (error) {
        console.error(
          JSON.stringify({ event: "journal-waits", queue: name, error: String(error) }),
        );
        await pause(retryMs);
      }
    }
    this.#forwarding = false;
  }

  /** What travels through the emulator's queue: where the journal has it, then the message. */
  #request(name: string, { id, body }: Row): MessageSendRequest<string> {
    const delaySeconds = this.#delays.get(id) ?? 0;
    return { body: `${name}:${id}\n${body}`, contentType: "text", delaySeconds };
  }

  /** Unless everything is to be sent again since the batch was read. */
  #advance(batch: readonly Row[]): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#sql.exec("update sent set up_to = ? where up_to = ?", last.id, last.up_to);
  }

  /** As many unsent messages as one `sendBatch` takes, oldest first. */
  #batch(): Row[] {
    const rows = this.#sql
      .exec<Row>(
        "select id, body, up_to from message, sent where id > up_to order by id limit ?",
        limits.queueBatchMessages,
      )
      .toArray();
    let bytes = 0;
    const tooMany = rows.findIndex(
      ({ body }) => (bytes += utf8Length(body)) > limits.queueBatchBytes,
    );
    return tooMany === -1 ? rows : rows.slice(0, tooMany);
  }
}

export default {
  /** `POST` sends every journalled message again, `GET` counts them; both answer messages by queue. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const messages: Record<string, number> = {};
    for (const name of env.QUEUES) {
      const journal = env.JOURNAL.getByName(name);
      messages[name] =
        request.method === "POST" ? await journal.sendAgain() : await journal.pending();
    }
    return Response.json(messages);
  },
};

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}

export function isQueue(binding: unknown): binding is Queue<string> {
  return (
    typeof binding === "object" && binding !== null && "send" in binding && "sendBatch" in binding
  );
}
