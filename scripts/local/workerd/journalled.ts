/**
 * Wraps a worker for the local runner: its queue producers write to the journal before they send, its consumers remove from it what they acknowledge.
 * The worker itself does not know; nothing of this is deployed.
 */

import type {
  DurableObjectNamespace,
  ExecutionContext,
  ExportedHandler,
  Message,
  MessageBatch,
  Queue,
  QueueRetryOptions,
} from "@cloudflare/workers-types";
import { isQueue } from "./journal-worker.ts";
import type { QueueJournal } from "./journal-worker.ts";

interface LocalEnv {
  JOURNAL: DurableObjectNamespace<QueueJournal>;
  /** Queue names by binding. */
  QUEUE_NAMES: Record<string, string>;
}

type Handler = ExportedHandler<object, string>;

export function journalled(worker: Handler) {
  const wrapped = new WeakMap<object, object>();
  /** The same object for the same bindings, so that a worker may keep its stores by it. */
  const envOf = (env: LocalEnv): object => {
    const known = wrapped.get(env);
    if (known !== undefined) return known;
    const made = wrapProducers(env);
    wrapped.set(env, made);
    return made;
  };
  const { fetch, queue, scheduled } = worker;
  return {
    ...(fetch && {
      fetch: (request: Parameters<typeof fetch>[0], env: LocalEnv, context: ExecutionContext) =>
        fetch(request, envOf(env), context),
    }),
    ...(scheduled && {
      scheduled: (
        controller: Parameters<typeof scheduled>[0],
        env: LocalEnv,
        context: ExecutionContext,
      ) => scheduled(controller, envOf(env), context),
    }),
    ...(queue && {
      queue: async (batch: MessageBatch<string>, env: LocalEnv, context: ExecutionContext) => {
        const tracked = track(batch);
        try {
          await queue(tracked.batch, envOf(env), context);
          tracked.handled();
        } finally {
          await Promise.all(
            [...tracked.acknowledged()].map(([name, ids]) =>
              env.JOURNAL.getByName(name).remove(ids),
            ),
          );
        }
      },
    }),
  };
}

function wrapProducers(env: LocalEnv): object {
  const entries = Object.entries(env).map(([binding, value]): [string, unknown] => {
    const name = env.QUEUE_NAMES[binding];
    return name !== undefined && isQueue(value)
      ? [binding, journalledQueue(name, env.JOURNAL)]
      : [binding, value];
  });
  return Object.fromEntries(entries);
}

/** The journal hands on what it is given, as text. */
function journalledQueue(name: string, journals: LocalEnv["JOURNAL"]): Queue<string> {
  const append = async (bodies: string[], delaySeconds = 0) => {
    // A stub belongs to the request that made it.
    await journals.getByName(name).append(bodies, delaySeconds);
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  };
  return {
    send: async (body, options) => await append([body], options?.delaySeconds),
    sendBatch: async (messages, options) =>
      await append(
        Array.from(messages, ({ body }) => body),
        options?.delaySeconds,
      ),
    async metrics() {
      const { messages, bytes, oldestAtMs } = await journals.getByName(name).backlog();
      return {
        backlogCount: messages,
        backlogBytes: bytes,
        ...(oldestAtMs !== null && { oldestMessageTimestamp: new Date(oldestAtMs) }),
      };
    },
  };
}

type Fate = "unsettled" | "acknowledged" | "retried";

interface Entry {
  message: Message<string>;
  queue: string;
  id: number;
  body: string;
  fate: Fate;
}

/** A batch whose messages look as they were sent, and which remembers what becomes of each. */
function track(batch: MessageBatch<string>) {
  const entries = batch.messages.map((message): Entry => {
    const end = message.body.indexOf("\n");
    const [queue = "", id = ""] = message.body.slice(0, end).split(":");
    return { message, queue, id: Number(id), body: message.body.slice(end + 1), fate: "unsettled" };
  });
  const settleAll = (fate: Fate) => {
    for (const entry of entries) if (entry.fate === "unsettled") entry.fate = fate;
  };
  const messages = entries.map((entry): Message<string> => {
    const { message, body } = entry;
    return {
      id: message.id,
      timestamp: message.timestamp,
      attempts: message.attempts,
      body,
      ack() {
        message.ack();
        if (entry.fate === "unsettled") entry.fate = "acknowledged";
      },
      retry(options?: QueueRetryOptions) {
        message.retry(options);
        if (entry.fate === "unsettled") entry.fate = "retried";
      },
    };
  });
  const tracked: MessageBatch<string> = {
    queue: batch.queue,
    metadata: batch.metadata,
    messages,
    ackAll() {
      batch.ackAll();
      settleAll("acknowledged");
    },
    retryAll(options?: QueueRetryOptions) {
      batch.retryAll(options);
      settleAll("retried");
    },
  };
  return {
    batch: tracked,
    /** The handler returned: what it left unsettled is acknowledged. */
    handled: () => settleAll("acknowledged"),
    acknowledged() {
      const byQueue = new Map<string, number[]>();
      for (const { fate, queue, id } of entries) {
        if (fate !== "acknowledged") continue;
        const ids = byQueue.get(queue) ?? [];
        ids.push(id);
        byQueue.set(queue, ids);
      }
      return byQueue;
    },
  };
}
