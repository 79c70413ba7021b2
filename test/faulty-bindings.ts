/**
 * Wraps a worker for tests of failures: before and after each operation on its bindings, and before each acknowledgement, it asks the test whether
 * that fails. Bindings are the real ones. An operation that fails "before" was never done, one that fails "after" was done and its answer lost.
 */

import type { ExecutionContext, ExportedHandler, MessageBatch } from "@cloudflare/workers-types";

type Handler = ExportedHandler<object, string>;

/** Answers 200, or 500: it fails. An operation is `ARCHIVE.put`, or `METRICS_0.read` and `.write` for D1's; a moment `before` or `after`. */
async function ask(url: string, operation: string, moment: string): Promise<void> {
  const { ok } = await fetch(`${url}/${operation}/${moment}`, { method: "POST" });
  if (!ok) throw new Error(`${operation} was made to fail ${moment} it was done`);
}

export function faulty(worker: Handler, url: string) {
  const wrapped = new WeakMap<object, object>();
  /** The same object for the same bindings, so that a worker may keep its stores by it. */
  const envOf = (env: object): object => {
    const known = wrapped.get(env);
    if (known !== undefined) return known;
    const faultyEnv = Object.fromEntries(
      Object.entries(env).map(([name, binding]: [string, unknown]) => [
        name,
        isObject(binding) ? faultyBinding(binding, name, { url }) : binding,
      ]),
    );
    wrapped.set(env, faultyEnv);
    return faultyEnv;
  };
  const { fetch, queue, scheduled } = worker;
  return {
    ...(fetch && {
      fetch: (request: Parameters<typeof fetch>[0], env: object, context: ExecutionContext) =>
        fetch(request, envOf(env), context),
    }),
    ...(scheduled && { scheduled }),
    ...(queue && {
      async queue(batch: MessageBatch<string>, env: object, context: ExecutionContext) {
        const acknowledgements: (() => void)[] = [];
        const messages = batch.messages.map((message) => ({
          id: message.id,
          timestamp: message.timestamp,
          attempts: message.attempts,
          body: message.body,
          ack: () => void acknowledgements.push(() => message.ack()),
          // Whatever back-off was decided, which other tests are about: at once.
          retry: () => message.retry({ delaySeconds: 0 }),
        }));
        const held = {
          queue: batch.queue,
          metadata: batch.metadata,
          messages,
          ackAll: () => void acknowledgements.push(() => batch.ackAll()),
          retryAll: batch.retryAll.bind(batch),
        };
        await queue(held, envOf(env), context);
        if (acknowledgements.length > 0) await ask(url, `${batch.queue}.ack`, "before");
        for (const acknowledge of acknowledgements) acknowledge();
      },
    }),
  };
}

/** These give something to go on with, and do nothing yet. */
const synchronous = new Set(["prepare", "bind"]);

interface Faulty {
  original: object;
  /** Of a prepared statement. */
  sql: string | null;
}

const made = new WeakMap<object, Faulty>();

function faultyBinding(
  binding: object,
  name: string,
  { url, sql = null }: { url: string; sql?: string | null },
): object {
  const proxy = new Proxy(binding, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function" || typeof property === "symbol") return member;
      return (...given: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(member, target, given.map(original));
        const sqls = sql === null ? given.flatMap(sqlOf) : [sql];
        if (!synchronous.has(property)) {
          return faultyCall(call, `${name}.${operationOf(property, sqls)}`, url);
        }
        const next = call();
        return isObject(next)
          ? faultyBinding(next, name, { url, sql: sql ?? String(given[0]) })
          : next;
      };
    },
  });
  made.set(proxy, { original: binding, sql });
  return proxy;
}

function operationOf(method: string, sqls: readonly string[]): string {
  if (sqls.length === 0) return method;
  return sqls.every((sql) => /^\s*select/i.test(sql)) ? "read" : "write";
}

async function faultyCall(call: () => unknown, operation: string, url: string): Promise<unknown> {
  await ask(url, operation, "before");
  const result = await call();
  await ask(url, operation, "after");
  return result;
}

/** Bindings take their own objects only, in lists, too. */
function original(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(original);
  return isObject(given) ? (made.get(given)?.original ?? given) : given;
}

/** Of the statements among what a method was given. */
function sqlOf(given: unknown): string[] {
  if (Array.isArray(given)) return given.flatMap(sqlOf);
  return isObject(given) ? [made.get(given)?.sql ?? []].flat() : [];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
