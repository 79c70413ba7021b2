/**
 * `npm run deploy`: Edgewise into the Cloudflare account that wrangler is logged in to. Every step may be run again: what exists is kept.
 * Resources, their ids into the wrangler.toml files, migrations, the installation's key, then the workers, those that others bind to first.
 * With --dry-run nothing leaves this machine: commands are shown, and the workers are bundled as they would be uploaded.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod/mini";
import {
  adminKeyFault,
  adminKeySql,
  defaultEnvironment,
  environmentSql,
  newAdminKey,
} from "./installation.ts";
import { parseOptions, runScript, UsageError } from "./local/options.ts";

const root = resolve(import.meta.dirname, "..");
const kvNamespace = "edgewise-config";
const bucket = "edgewise-archive";
const control = "edgewise-control";

/** In the order of deployment. */
const configs = [
  "workers/ingest/wrangler.toml",
  "workers/admin/wrangler.toml",
  "workers/analysis-cron/wrangler.toml",
  "wrangler.toml",
];
const ingest = "workers/ingest/wrangler.toml";
const admin = "workers/admin/wrangler.toml";

const kvList = z.array(z.object({ id: z.string(), title: z.string() }));
const d1List = z.array(z.object({ uuid: z.string(), name: z.string() }));
const rows = z.array(z.object({ results: z.array(z.object({ n: z.number() })) }));

await runScript(async () => {
  const { "dry-run": dryRun, "admin-key": given } = parseOptions({
    "dry-run": { type: "boolean", default: false },
    "admin-key": { type: "string" },
  });
  const fault = given === undefined ? null : adminKeyFault(given);
  if (fault !== null) throw new UsageError(`--admin-key: ${fault}`);
  const run = dryRun ? show : wrangler;
  const databases = namesIn(/database_name = "([^"]+)"/g);
  const queues = namesIn(/queue = "([^"]+)"/g);

  run("kv", "namespace", "create", kvNamespace);
  for (const name of databases) run("d1", "create", name);
  run("r2", "bucket", "create", bucket);
  for (const name of queues) {
    run("queues", "create", name);
    // Longer than all attempts of a message take together, so that none expires before it is put aside (workers/ingest/decide.ts).
    run("queues", "update", name, "--message-retention-period-secs", String(14 * 86_400));
  }

  if (dryRun)
    console.log(
      "then: write the ids of the namespace and the databases into the wrangler.toml files",
    );
  else writeIds(databases);

  for (const name of databases) {
    run(
      "d1",
      "migrations",
      "apply",
      name,
      "--remote",
      "--config",
      name === control ? admin : ingest,
    );
  }
  if (dryRun) {
    console.log(
      "then, unless there is an admin key: make the default environment and a key, with wrangler d1 execute",
    );
  } else if (given !== undefined || !hasAdminKey()) {
    const key = given ?? newAdminKey();
    const sql = [...environmentSql(defaultEnvironment), ...adminKeySql(key)].join("; ");
    run("d1", "execute", control, "--remote", "--yes", "--config", admin, "--command", sql);
    console.log(`Admin key, shown once, only its hash is kept: ${key}`);
  }
  for (const config of configs) {
    if (dryRun) console.log(wrangler("deploy", "--dry-run", "--config", config));
    else console.log(wrangler("deploy", "--config", config));
  }
  console.log(
    dryRun
      ? "Nothing was deployed."
      : "Deployed. The cron publishes the first configuration within a minute.",
  );
});

function namesIn(pattern: RegExp): string[] {
  const text = configs.map((config) => readFileSync(resolve(root, config), "utf8")).join("\n");
  return [...new Set([...text.matchAll(pattern)].flatMap(([, name]) => name ?? []))];
}

function show(...args: string[]): string {
  console.log(
    `wrangler ${args.map((arg) => (/[\s']/.test(arg) ? JSON.stringify(arg) : arg)).join(" ")}`,
  );
  return "";
}

/** What exists already is not an error. */
function wrangler(...args: string[]): string {
  try {
    return execFileSync("wrangler", args, {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const output = z.safeParse(z.object({ stdout: z.string(), stderr: z.string() }), error);
    const text = output.success ? `${output.data.stdout}\n${output.data.stderr}` : String(error);
    if (args.includes("create") && /already (exists|taken|in use)|is already/i.test(text))
      return text;
    throw new UsageError(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${text.trim()}`);
  }
}

function writeIds(databases: readonly string[]): void {
  const namespaces = z.parse(kvList, JSON.parse(wrangler("kv", "namespace", "list")));
  const existing = z.parse(d1List, JSON.parse(wrangler("d1", "list", "--json")));
  const namespace = namespaces.find(({ title }) => title === kvNamespace);
  if (namespace === undefined) throw new UsageError(`the namespace ${kvNamespace} was not created`);
  for (const config of configs) {
    let text = readFileSync(resolve(root, config), "utf8");
    text = text.replace(/(binding = "CONFIG", id = )"[^"]*"/, `$1"${namespace.id}"`);
    for (const name of databases) {
      const database = existing.find((one) => one.name === name);
      if (database === undefined) throw new UsageError(`the database ${name} was not created`);
      const id = new RegExp(`(database_name = "${name}"\\ndatabase_id = )"[^"]*"`);
      text = text.replace(id, `$1"${database.uuid}"`);
    }
    writeFileSync(resolve(root, config), text);
  }
}

function hasAdminKey(): boolean {
  const sql =
    "select count(*) as n from api_keys where environment_id is null and revoked_at is null";
  const answer = wrangler(
    "d1",
    "execute",
    control,
    "--remote",
    "--json",
    "--config",
    admin,
    "--command",
    sql,
  );
  return (z.parse(rows, JSON.parse(answer))[0]?.results[0]?.n ?? 0) > 0;
}
