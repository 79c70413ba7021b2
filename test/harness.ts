/** Starts the whole system for a test, as `npm start` does, on a free port and a folder of its own. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { startRunner } from "../scripts/local/runner.ts";
import type { Runner } from "../scripts/local/runner.ts";

export { seededRandom } from "./seeded-random.ts";

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

export interface Call {
  /** The installation's key unless another is given; null for none. */
  key?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface System {
  runner: Runner;
  adminKey: string;
  dataFolder: string;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** The body of an answer that must be a success. */
  expectOk<T>(schema: z.ZodMiniType<T>, answer: Promise<Answer>): Promise<T>;
  /** Makes a key and gives its secret. */
  newKey(kind: "server" | "client" | "admin", more?: object): Promise<string>;
  /** Ends workerd; the state stays. */
  stop: () => Promise<void>;
  /** Ends workerd and removes the state. */
  destroy(): Promise<void>;
}

const adminKey = "ew_admin_system_test_key";

export async function startSystem(dataFolder?: string): Promise<System> {
  const folder = dataFolder ?? (await mkdtemp(join(tmpdir(), "edgewise-")));
  const runner = await startRunner({
    port: 0,
    dataFolder: folder,
    environments: ["default/production", "other/production"],
    adminKey,
    onLog: ({ level, message }) => {
      if (level === "error") console.error(message);
    },
  });
  await runner.tick(new Date());

  const call: System["call"] = async (method, path, { key = adminKey, body, headers } = {}) => {
    const response = await fetch(`${runner.url}${path}`, {
      method,
      headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : text,
    };
  };
  const expectOk: System["expectOk"] = async (schema, answer) => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    return z.parse(schema, body);
  };
  return {
    runner,
    adminKey,
    call,
    expectOk,
    dataFolder: folder,
    async newKey(kind, more = {}) {
      const body = {
        kind,
        name: kind,
        ...more,
      };
      const made = call("POST", "/api/v1/keys", { body });
      return (await expectOk(z.object({ secret: z.string() }), made)).secret;
    },
    stop: runner.stop,
    async destroy() {
      await runner.stop();
      await rm(folder, {
        recursive: true,
        force: true,
      });
    },
  };
}

const nullable = z.nullable(z.number());

/** What tests read of a results answer. */
export const resultsShape = z.object({
  experiment: z.string(),
  phase: z.number(),
  status: z.string(),
  sampleRatio: z.object({
    observed: z.record(z.string(), z.number()),
    statistic: nullable,
    pValue: nullable,
    mismatch: z.boolean(),
  }),
  quality: z.object({ quarantinedUnits: z.number(), lateEvents: z.number() }),
  metrics: z.array(
    z.object({
      metric: z.string(),
      role: z.string(),
      variants: z.record(
        z.string(),
        z.object({ n: z.number(), mean: nullable, variance: nullable, sum: z.number() }),
      ),
      comparisons: z.array(
        z.object({
          variant: z.string(),
          lift: nullable,
          relativeLift: nullable,
          pValue: nullable,
          confidenceInterval: z.nullable(z.tuple([z.number(), z.number()])),
          sequential: z.nullable(
            z.object({
              looks: z.array(
                z.object({
                  look: z.number(),
                  informationFraction: z.number(),
                  z: nullable,
                  boundary: nullable,
                  nominalP: z.number(),
                  alphaSpent: z.number(),
                  crossed: z.boolean(),
                }),
              ),
              crossed: z.boolean(),
            }),
          ),
        }),
      ),
    }),
  ),
  recommendation: z.object({ action: z.string(), variant: z.nullable(z.string()) }),
});

export type ResultsShape = z.output<typeof resultsShape>;

/** Runs tasks with at most `atOnce` under way. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
    }),
  );
}
