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

const problem = z.object({ detail: z.string() });

export function api(options: { url: string; key: string; environment?: string }): Api {
  const headers: Record<string, string> = {
    authorization: `Bearer ${options.key}`,
    "content-type": "application/json",
    ...(options.environment !== undefined && { "x-edgewise-environment": options.environment }),
  };

  async function call(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await send(path, init, attempt);
      if (response === null || [429, 502, 503, 504].includes(response.status)) {
        if (attempt === attempts) break;
        const after = Number(response?.headers.get("retry-after") ?? 0);
        await response?.body?.cancel();
        await pause(Math.max(after * 1_000, 100 * 2 ** attempt));
        continue;
      }
      return response;
    }
    throw new UsageError(`${options.url} does not answer ${path}; is it running?`);
  }

  /** Null when there was no answer; not being reachable at all is final. */
  async function send(path: string, init: RequestInit, attempt: number): Promise<Response | null> {
    try {
      return await fetch(`${options.url}/api/v1${path}`, { ...init, headers });
    } catch (error) {
      if (attempt > 1) return null;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new UsageError(`${options.url} cannot be reached: ${String(cause)}`);
    }
  }

  async function answer<T>(path: string, response: Response, schema: z.ZodMiniType<T>) {
    if (response.ok) return z.parse(schema, await response.json());
    const parsed = z.safeParse(problem, await response.json().catch(() => null));
    throw new UsageError(`${path}: ${parsed.success ? parsed.data.detail : response.statusText}`);
  }

  return {
    async get(path, schema) {
      const response = await call(path, { method: "GET" });
      if (response.status === 404) return null;
      return await answer(path, response, schema);
    },
    async post(path, body, schema) {
      const response = await call(path, { method: "POST", body: JSON.stringify(body) });
      return await answer(path, response, schema);
    },
  };
}
