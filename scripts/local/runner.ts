/**
 * The whole of Edgewise on one port inside workerd: the four workers as they are deployed, their state in one folder,
 * durable queues, a ticking cron. Used by `npm start` and by the system tests.
 */

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";
import * as z from "zod/mini";
import { randomBytes } from "node:crypto";
import { adminKeySql, environmentSql, newAdminKey, serverKeySql } from "../installation.ts";
import { bundle, bundleJournalled } from "./bundle.ts";
import type { ReadableBucket } from "./control-socket.ts";
import { migrate } from "./migrate.ts";
import { noteWorkerd } from "./workerd-process.ts";

const root = resolve(import.meta.dirname, "../..");
const journalName = "edgewise-local-journal";
const cronName = "edgewise-analysis-cron";
const analysesQueue = "edgewise-analyses";
const examplesName = "edgewise-examples";
const examplesConfig = "examples/wrangler.toml";
const journalBinding = { className: "QueueJournal", scriptName: journalName, useSQLite: true };

/** The public one first: requests go to it. */
const configs = {
  "edgewise-eval": "wrangler.toml",
  "edgewise-ingest": "workers/ingest/wrangler.toml",
  "edgewise-admin": "workers/admin/wrangler.toml",
  [cronName]: "workers/analysis-cron/wrangler.toml",
};

/** What is read here of the options that wrangler makes of a wrangler.toml; the rest goes to Miniflare as it is. */
const configuredOptions = z.looseObject({
  queueProducers: z.record(z.string(), z.object({ queueName: z.string() })),
  d1Databases: z.record(z.string(), z.unknown()),
  kvNamespaces: z.record(z.string(), z.unknown()),
  r2Buckets: z.record(z.string(), z.unknown()),
  /** Variables. */
  bindings: z.record(z.string(), z.unknown()),
});

type ConfiguredOptions = z.output<typeof configuredOptions>;

export interface RunnerOptions {
  port: number;
  dataFolder: string;
  /** As `customer/environment`; made unless they exist. */
  environments: `${string}/${string}`[];
  /** Replaces the installation's key. */
  adminKey?: string;
  /** Serves examples/ as well, under /examples/, with experiments and keys of this one of the environments. */
  examplesFor?: `${string}/${string}`;
  onLog?: (line: { level: string; message: string }) => void;
}

export interface Runner {
  url: string;
  /** The installation's key when it was made or given at this start; else null, since only its hash is kept. */
  adminKey: string | null;
  /** Runs the cron as if it were `at`, and the analyses that it queues, to the end. */
  tick: (at: Date) => Promise<void>;
  /** Resolves when every queued event has been folded or put aside. */
  drained: () => Promise<void>;
  /** For reading. */
  archive: ReadableBucket;
  /** Messages that were not acknowledged when the last run ended, and were sent again. */
  resent: number;
  stop: () => Promise<void>;
}

/** What is in the state folder cannot be used. */
export class StateError extends Error {}

export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const dataFolder = resolve(options.dataFolder);
  const examples =
    options.examplesFor === undefined
      ? null
      : {
          EDGEWISE_ENVIRONMENT: options.examplesFor,
          EDGEWISE_KEY: `ew_server_${randomBytes(24).toString("hex")}`,
        };
  const configured = await workers(examples);
  try {
    await mkdir(dataFolder, { recursive: true });
    return await serve(options, configured, examples);
  } catch (error) {
    throw new StateError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function serve(
  options: RunnerOptions,
  configured: Awaited<ReturnType<typeof workers>>,
  examples: ExamplesVariables | null,
): Promise<Runner> {
  const forgetWorkerd = noteWorkerd(options.dataFolder);
  let resendAll = async (): Promise<number> => 0;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      // A workerd that crashed comes up again without what was in its queues.
      unsafeHandleRuntimeRestart: async () => {
        await resendAll();
      },
      host: "127.0.0.1",
      port: options.port,
      resourcePersistencePath: resolve(options.dataFolder, "state"),
      log: new Log(LogLevel.ERROR),
      logRequests: false,
      telemetry: { enabled: false },
      cf: false,
      ...(options.onLog && { handleStructuredLogs: options.onLog }),
      workers: configured,
    }),
  );
  try {
    const { resend, ...runner } = await runnerOf(miniflare, options, examples);
    resendAll = resend;
    const stop = async () => {
      await miniflare.dispose();
      forgetWorkerd();
    };
    return { ...runner, resent: await resend(), stop };
  } catch (error) {
    // Disposing of what never became ready fails with the same error again.
    await miniflare.dispose().catch(() => {});
    throw error;
  }
}

async function runnerOf(
  miniflare: Miniflare,
  options: RunnerOptions,
  examples: ExamplesVariables | null,
) {
  const url = (await miniflare.ready).toString().replace(/\/$/, "");
  const adminKey = await prepare(miniflare, options, examples);
  // Stubs are asked for each time: those from before a restart of workerd answer nothing any more.
  /** Messages by queue: those pending (GET), or those sent again (POST). */
  const messages = async (method: "GET" | "POST") => {
    const journal = await miniflare.getWorker(journalName);
    const response = await journal.fetch("http://journal/", { method });
    if (!response.ok) throw new Error(await response.text());
    return z.parse(z.record(z.string(), z.number()), await response.json());
  };
  const emptied = async (isMeant: (queue: string) => boolean): Promise<void> => {
    const isPending = ([queue, count]: [string, number]) => isMeant(queue) && count > 0;
    while (Object.entries(await messages("GET")).some(isPending)) await pause(20);
  };
  const tick = async (at: Date): Promise<void> => {
    const cron = await miniflare.getWorker(cronName);
    const { outcome } = await cron.scheduled({ scheduledTime: at, cron: "* * * * *" });
    if (outcome !== "ok") throw new Error(`the cron ended with ${outcome}; see the log`);
    await emptied((queue) => queue === analysesQueue);
  };
  const archive = () => miniflare.getR2Bucket("ARCHIVE", cronName);
  return {
    url,
    adminKey,
    tick,
    archive: {
      list: async (asked: Parameters<ReadableBucket["list"]>[0]) => (await archive()).list(asked),
      get: async (key: string) => (await archive()).get(key),
    },
    resend: async () =>
      Object.values(await messages("POST")).reduce((sum, count) => sum + count, 0),
    drained: () => emptied((queue) => queue !== analysesQueue),
  };
}

/** What is configured for the examples here, and on deployment by the one who deploys them. */
interface ExamplesVariables {
  EDGEWISE_ENVIRONMENT: `${string}/${string}`;
  EDGEWISE_KEY: string;
}

async function workers(examples: ExamplesVariables | null) {
  const all = { ...configs, ...(examples && { [examplesName]: examplesConfig }) };
  const loaded = await Promise.all(
    Object.entries(all).map(async ([name, config]) => {
      const { workerOptions: options, main } = workerOptions(resolve(root, config));
      const fromConfig = z.parse(configuredOptions, options);
      return { name, fromConfig, script: await bundleJournalled(main ?? config) };
    }),
  );
  const queues = new Set(loaded.flatMap(({ fromConfig }) => Object.values(queueNames(fromConfig))));
  const journal = {
    name: journalName,
    modules: true,
    script: await bundle(`
      export { QueueJournal, default } from "./scripts/local/workerd/journal-worker.ts";
    `),
    compatibilityDate: "2026-11-01",
    durableObjects: { JOURNAL: { className: "QueueJournal", useSQLite: true } },
    queueProducers: Object.fromEntries([...queues].map((queue) => [queue, queue])),
    bindings: { QUEUES: [...queues] },
  };
  return [
    // esbuild has bundled what the rules are about, and Miniflare refuses them.
    ...loaded.map(({ name, fromConfig: { modulesRules: _rules, ...fromConfig }, script }) => ({
      ...fromConfig,
      ...localIds(fromConfig),
      name,
      modules: true,
      script,
      durableObjects: { JOURNAL: journalBinding },
      bindings: {
        ...fromConfig.bindings,
        ...(name === examplesName && examples),
        QUEUE_NAMES: queueNames(fromConfig),
      },
      ...(name === examplesName && { routes: ["*/examples/*"] }),
    })),
    journal,
  ];
}

/** Local state goes by binding, so that it stays when a deployment writes the account's ids into the configuration. */
function localIds({ d1Databases, kvNamespaces, r2Buckets }: ConfiguredOptions) {
  const byBinding = (resources: object) =>
    Object.fromEntries(Object.keys(resources).map((binding) => [binding, binding]));
  return {
    d1Databases: byBinding(d1Databases),
    kvNamespaces: byBinding(kvNamespaces),
    r2Buckets: byBinding(r2Buckets),
  };
}

/** Queue names by the binding that produces to them. */
function queueNames({ queueProducers }: ConfiguredOptions): Record<string, string> {
  return Object.fromEntries(
    Object.entries(queueProducers).map(([binding, { queueName }]) => [binding, queueName]),
  );
}

/** Migrations, the environments, the examples' key, the installation's key. */
async function prepare(
  miniflare: Miniflare,
  { adminKey, environments }: RunnerOptions,
  examples: ExamplesVariables | null,
): Promise<string | null> {
  const control = await miniflare.getD1Database("CONTROL", cronName);
  await migrate(control, "control");
  const bindings = Object.keys(await miniflare.getBindings(cronName));
  for (const binding of bindings.filter((name) => name.startsWith("METRICS_"))) {
    await migrate(await miniflare.getD1Database(binding, cronName), "metrics");
  }
  await run(control, environments.flatMap(environmentSql));
  if (examples !== null) {
    const { EDGEWISE_ENVIRONMENT: environment, EDGEWISE_KEY: key } = examples;
    await run(control, serverKeySql(environment, { name: "examples", key }));
  }
  const key = adminKey ?? ((await hasAdminKey(control)) ? null : newAdminKey());
  if (key !== null) await run(control, adminKeySql(key));
  return key;
}

async function hasAdminKey(control: D1Database): Promise<boolean> {
  const row = await control
    .prepare("select 1 from api_keys where environment_id is null and revoked_at is null")
    .first();
  return row !== null;
}

async function run(database: D1Database, statements: string[]): Promise<void> {
  await database.batch(statements.map((sql) => database.prepare(sql)));
}

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
