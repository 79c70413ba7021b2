/** Applies migrations/ to the local databases, in the table that wrangler keeps for the same purpose. */

import { readFile, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";

const root = resolve(import.meta.dirname, "../../migrations");
const breakpoint = "--> statement-breakpoint";

/** Each migration and the note that it was applied are one transaction. */
export async function migrate(database: D1Database, name: "control" | "metrics"): Promise<void> {
  await database
    .prepare(
      "create table if not exists d1_migrations (id integer primary key autoincrement, name text unique, applied_at timestamp default current_timestamp not null)",
    )
    .run();
  const applied = await database.prepare("select name from d1_migrations").all<{ name: string }>();
  const done = new Set(applied.results.map((row) => row.name));
  const files = (await readdir(resolve(root, name))).filter((file) => file.endsWith(".sql"));
  for (const file of files.toSorted()) {
    if (done.has(file)) continue;
    const sql = await readFile(resolve(root, name, file), "utf8");
    const statements = sql.split(breakpoint).map((statement) => database.prepare(statement));
    const note = database.prepare("insert into d1_migrations (name) values (?)").bind(file);
    await database.batch([...statements, note]);
  }
}
