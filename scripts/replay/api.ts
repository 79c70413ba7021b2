/** The public HTTP API as the replay uses it: refusals become one clear line, overload is waited out. */

import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod/mini";
import { UsageError } from "../local/options.ts";

const attempts = 8;

export interface Api {
  /** Null when there is no such resource. */
  get<T>(path: string, schema: z.ZodMiniType<T>): Promise<T | null>;
  post<T>(path: string, body: object, schema: z.ZodMiniType<T>): Promise<T>;
}

interface Answer {
  status: number;
  retryAfterSeconds: number;
  text: string;
}

const problem = z.object({ detail: z.string() });

export function api(options: { url: string; key: string; environment?: string }): Api {
  const headers: Record<string, string> = {
    authorization: `Bearer ${options.key}`,
    "content-type": "application/json",
    ...(options.environment !== undefined && { "x-edgewise-environment": options.environment }),
  };

  async function call(path: string, init: RequestInit): Promise<Answer> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const answered = await send(path, init, attempt);
      if (answered !== null && ![429, 502, 503, 504].includes(answered.status)) return answered;
      if (attempt < attempts) {
        await pause(Math.max((answered?.retryAfterSeconds ?? 0) * 1_000, 100 * 2 ** attempt));
      }
    }
    throw new UsageError(`${options.url} does not answer ${path}; is it running?`);
  }

  /** Null when there was no whole answer; not being reachable at all is final. */
  async function send(path: string, init: RequestInit, attempt: number): Promise<Answer | null> {
    try {
      const response = await fetch(`${options.url}/api/v1${path}`, { ...init, headers });
      const retryAfterSeconds = Number(response.headers.get("retry-after") ?? 0);
      return { status: response.status, retryAfterSeconds, text: await response.text() };
    } catch (error) {
      if (attempt > 1) return null;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new UsageError(`${options.url} cannot be reached: ${String(cause)}`);
    }
  }

  function read<T>(path: string, { status, text }: Answer, schema: z.ZodMiniType<T>): T {
    const body = jsonOrNull(text);
    if (status < 300) return z.parse(schema, body);
    const parsed = z.safeParse(problem, body);
    throw new UsageError(`${path}: ${parsed.success ? parsed.data.detail : `answered ${status}`}`);
  }

  return {
    async get(path, schema) {
      const answered = await call(path, { method: "GET" });
      return answered.status === 404 ? null : read(path, answered, schema);
    },
    async post(path, body, schema) {
      return read(path, await call(path, { method: "POST", body: JSON.stringify(body) }), schema);
    },
  };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
