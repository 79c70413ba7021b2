/**
 * `npm run migrations`: writes a migration for what changed in schema/. With --check it writes nothing and fails when something did.
 * What drizzle cannot say (WITHOUT ROWID, first rows) is added to the new file by hand.
 */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseOptions, runScript, UsageError } from "./local/options.ts";

const root = resolve(import.meta.dirname, "..");
const databases = ["control", "metrics"];

await runScript(async () => {
  const { check } = parseOptions({ check: { type: "boolean", default: false } });
  const migrations = resolve(root, "migrations");
  if (!check) {
    generate("./migrations");
    return;
  }
  const copy = mkdtempSync(resolve(root, "node_modules/.migrations-"));
  try {
    cpSync(migrations, copy, { recursive: true });
    generate(`./${relative(root, copy)}`);
    const stale = databases.filter((name) => count(copy, name) !== count(migrations, name));
    if (stale.length > 0) {
      throw new UsageError(`schema/${stale.join(", schema/")} changed: run npm run migrations`);
    }
    console.log("migrations are in step with schema/");
  } finally {
    rmSync(copy, { recursive: true });
  }
});

function generate(folder: string): void {
  for (const name of databases) {
    execFileSync("drizzle-kit", ["generate"], {
      cwd: root,
      env: { ...process.env, EDGEWISE_DATABASE: name, EDGEWISE_MIGRATIONS: folder },
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
}

function count(folder: string, name: string): number {
  return readdirSync(resolve(folder, name)).length;
}
