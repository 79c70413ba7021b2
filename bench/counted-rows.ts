/** Wraps a worker so that it answers any request with the rows that its databases read and wrote since the last one: what D1 bills. */

import type { ExecutionContext, ExportedHandler, MessageBatch } from "@cloudflare/workers-types";

type Handler = ExportedHandler<object, string>;

export interface Rows {
  read: number;
  written: number;
}

export function countingRows({ scheduled, queue }: Handler) {
  let rows: Rows = { read: 0, written: 0 };
  const count = (meta: object) => {
    rows.read += numberIn(meta, "rows_read");
    rows.written += numberIn(meta, "rows_written");
  };
  const counted = new WeakMap<object, object>();
  const envOf = (env: object): object => {
    const known = counted.get(env) ?? countedBindings(env, count);
    counted.set(env, known);
    return known;
  };
  return {
    scheduled: (controller: ScheduledController, env: object, context: ExecutionContext) =>
      scheduled?.(controller, envOf(env), context),
    queue: (batch: MessageBatch<string>, env: object, context: ExecutionContext) =>
      queue?.(batch, envOf(env), context),
    fetch() {
      const answer = Response.json(rows);
      rows = { read: 0, written: 0 };
      return answer;
    },
  };
}

type ScheduledController = Parameters<NonNullable<Handler["scheduled"]>>[0];
type Count = (meta: object) => void;

function countedBindings(env: object, count: Count): object {
  return Object.fromEntries(
    Object.entries(env).map(([name, binding]: [string, unknown]) => [
      name,
      isObject(binding) && "prepare" in binding ? counting(binding, count) : binding,
    ]),
  );
}

const originals = new WeakMap<object, object>();

/** A database, or one of its statements. */
function counting(binding: object, count: Count): object {
  const proxy = new Proxy(binding, {
    get(target, property) {
      // What `raw` answers says nothing of rows; no statement of ours names a column twice.
      const isRaw = property === "raw";
      const member: unknown = Reflect.get(target, isRaw ? "all" : property);
      if (typeof member !== "function") return member;
      return (...given: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, isRaw ? [] : given.map(original));
        if (property === "prepare" || property === "bind") {
          return isObject(answer) ? counting(answer, count) : answer;
        }
        return Promise.resolve(answer).then((result) => {
          const results = Array.isArray(result) ? result : [result];
          for (const each of results.filter(isObject)) {
            if ("meta" in each && isObject(each.meta)) count(each.meta);
          }
          return isRaw ? rowsOf(result).map((row): unknown[] => Object.values(row)) : result;
        });
      };
    },
  });
  originals.set(proxy, binding);
  return proxy;
}

/** Bindings take their own objects only, in lists, too. */
function original(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(original);
  return isObject(given) ? (originals.get(given) ?? given) : given;
}

function rowsOf(result: unknown): object[] {
  const rows: unknown = isObject(result) && "results" in result ? result.results : [];
  return Array.isArray(rows) ? rows.filter(isObject) : [];
}

function numberIn(meta: object, name: string): number {
  const value: unknown = Reflect.get(meta, name);
  return typeof value === "number" ? value : 0;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
