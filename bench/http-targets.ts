/// <reference types="node" />
/** What `bench/http.ts` asks: the bare worker, the eval worker alone, and the whole of Edgewise as `npm start` runs it. */
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import * as z from "zod/mini";
import { hashSecret } from "../contracts/api-key.ts";
import { configKeys } from "../contracts/config-keys.ts";
import type { JsonObject, Snapshot } from "../core/index.ts";
import { bundle } from "../scripts/local/bundle.ts";
import { startSystem } from "../test/harness.ts";

export interface Target {
  name: string;
  url: string;
  headers: Record<string, string>;
  /** With `[<id>]` where every request names a unit of its own, if `newUnits`. */
  body: string;
  newUnits: boolean;
  /** The name of the bare worker that answers over the same way. */
  comparedWith: string;
  /** Resolves when what the requests left behind is done. */
  settled: () => Promise<void>;
}

const path = "/api/v1/evaluate";
const experiments = ["checkout_redesign", "search_ranking", "welcome_banner"];
const secret = "ew_server_bench_http";
const queues = ["EVENTS_0", "EVENTS_1", "EVENTS_2", "EVENTS_3"];

const variants = [
  { key: "control", weight: 50, value: { layout: "v1" }, isControl: true },
  { key: "treatment", weight: 50, value: { layout: "v2" } },
];

const snapshot: Snapshot = {
  formatVersion: 1,
  environment: "bench",
  version: 1,
  flags: experiments.map((key) => ({
    key,
    type: "object",
    variants: variants.map(({ key: variant, value }) => ({ key: variant, value })),
    defaultVariant: "control",
    enabled: true,
    salt: `flag-${key}`,
    rules: [{ experiment: key }],
  })),
  experiments: experiments.map((key) => ({
    key,
    hashVersion: 1,
    phase: 1,
    salt: `variant-${key}`,
    unit: "targetingKey",
    control: "control",
    variants: variants.map(({ key: variant, weight }) => ({
      variant,
      weightBasisPoints: weight * 100,
    })),
    layer: null,
    layerSalt: `layer-${key}`,
    slots: [[0, 10_000]],
    dimensions: ["country", "device", "platform"],
  })),
  holdouts: [],
  segments: [],
};

function body(unit: string, exposures: boolean): string {
  return JSON.stringify({
    context: { targetingKey: unit, country: "US", device: "mobile", plan: "team" },
    flags: experiments,
    exposures,
  });
}

const bareWorker = `
  import { Hono } from "hono";
  const app = new Hono();
  app.post("/api/v1/evaluate", async (c) => {
    const { context } = await c.req.json();
    return context === undefined ? c.body(null, 400) : c.json(c.env.ANSWER);
  });
  export default app;
`;

const discardingWorker = `export default { queue(batch) { batch.ackAll(); } };`;

/** The whole of Edgewise, with the same three experiments running. */
async function startWhole() {
  const system = await startSystem();
  const post = async (path: string, body: object) => {
    const { status, body: answered } = await system.call("POST", `/api/v1${path}`, { body });
    if (status >= 300) throw new Error(`${path}: ${JSON.stringify(answered)}`);
  };
  await post("/metrics", { key: "purchased", type: "proportion", event: "purchase" });
  for (const key of experiments) {
    const metrics = { primary: ["purchased"] };
    await post("/experiments", { key, variants, metrics, plan: { maximumSampleSize: 100_000 } });
    await post(`/experiments/${key}/start`, {});
  }
  const headers = { authorization: `Bearer ${await system.newKey("server")}` };
  const url = `${system.runner.url}${path}`;
  return { system, url, headers, answer: await assigning(url, headers) };
}

/** The answer once every experiment assigns, which takes as long as the publication takes to be seen. */
async function assigning(url: string, headers: Record<string, string>): Promise<JsonObject> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(url, { method: "POST", headers, body: body("probe", false) });
    const text = await response.text();
    if (text.split(`"SPLIT"`).length > experiments.length) {
      return z.parse(z.record(z.string(), z.json()), JSON.parse(text));
    }
    if (Date.now() > deadline) throw new Error("the experiments do not assign");
  }
}

/** The bare worker, and the eval worker as it is deployed, on a real queue binding whose consumer discards. */
async function startAlone(answer: JsonObject) {
  const compatibilityDate = "2026-11-01";
  const unsafeDirectSockets = [{ host: "127.0.0.1", port: 0 }];
  const evalWorker = `export { default } from "./workers/eval/index.ts";`;
  const alone = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      telemetry: { enabled: false },
      cf: false,
      workers: [
        {
          name: "bare",
          modules: true,
          script: await bundle(bareWorker, { minify: true }),
          compatibilityDate,
          unsafeDirectSockets,
          bindings: { ANSWER: answer },
        },
        {
          name: "eval",
          modules: true,
          script: await bundle(evalWorker, { minify: true }),
          compatibilityDate,
          unsafeDirectSockets,
          kvNamespaces: ["CONFIG"],
          ratelimits: {
            KEY_REQUESTS: { namespace_id: "1", simple: { limit: 2_000, period: 60 } },
          },
          queueProducers: Object.fromEntries(queues.map((name) => [name, name])),
          serviceBindings: { INGEST: "bare", ADMIN: "bare" },
        },
        {
          name: "discard",
          modules: true,
          script: discardingWorker,
          compatibilityDate,
          queueConsumers: queues,
        },
      ],
    }),
  );
  const entry = await alone.ready;
  const config = await alone.getKVNamespace("CONFIG", "eval");
  const key = { v: 1, id: "bench", kind: "server", environment: snapshot.environment };
  await config.put(configKeys.apiKey(await hashSecret(secret)), JSON.stringify(key));
  await config.put(configKeys.snapshot(snapshot.environment), JSON.stringify(snapshot));
  const urlOf = (base: URL) => new URL(path, base).toString();
  return {
    bareThroughEntry: urlOf(entry),
    bare: urlOf(await alone.unsafeGetDirectURL("bare")),
    evaluating: urlOf(await alone.unsafeGetDirectURL("eval")),
    stop: () => alone.dispose(),
  };
}

export async function startHttpTargets(): Promise<{
  targets: Target[];
  stop: () => Promise<void>;
}> {
  const whole = await startWhole();
  const alone = await startAlone(whole.answer);
  const settled = async () => {};
  const headers = { authorization: `Bearer ${secret}` };
  const quiet = { body: body("visitor-1", false), newUnits: false };
  const exposing = { body: body("[<id>]", true), newUnits: true };
  const bare = "bare Hono worker, asked directly";
  const bareThroughEntry = "bare Hono worker, through Miniflare's entry";
  const targets: Target[] = [
    { name: bare, url: alone.bare, headers, ...quiet, comparedWith: bare, settled },
    {
      name: "eval worker, exposures: false, directly",
      url: alone.evaluating,
      headers,
      ...quiet,
      comparedWith: bare,
      settled,
    },
    {
      name: "eval worker, new visitors' exposures to the queue binding, directly",
      url: alone.evaluating,
      headers,
      ...exposing,
      comparedWith: bare,
      settled,
    },
    {
      name: bareThroughEntry,
      url: alone.bareThroughEntry,
      headers,
      ...quiet,
      comparedWith: bareThroughEntry,
      settled,
    },
    {
      name: "local runner, exposures: false",
      url: whole.url,
      headers: whole.headers,
      ...quiet,
      comparedWith: bareThroughEntry,
      settled,
    },
    {
      name: "local runner, exposures journalled, archived and folded",
      url: whole.url,
      headers: whole.headers,
      ...exposing,
      comparedWith: bareThroughEntry,
      settled: whole.system.runner.drained,
    },
  ];
  const stop = async () => {
    await alone.stop();
    await whole.system.destroy();
  };
  return { targets, stop };
}
