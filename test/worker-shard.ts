/** What tests in workerd do with a shard's database beside the code under test. */

import type { D1Database } from "@cloudflare/workers-types";

/** Those that have a twin for rebuilds. */
export const shardTables = ["units", "populations", "cells", "tallies", "dimension_values"];

/** Populations, cells and tallies as sorted JSON; rows of zeros are left out. */
export async function rowsOf(db: D1Database, suffix = ""): Promise<string[]> {
  const sums = ["n", "y", "yy", "d", "dd", "yd", "x", "xx", "xy"];
  const rows: string[] = [];
  for (const table of ["populations", "cells", "tallies"]) {
    const { results } = await db.prepare(`SELECT * FROM ${table}${suffix}`).all();
    for (const row of results) {
      if (sums.some((sum) => (row[sum] ?? 0) !== 0)) rows.push(JSON.stringify(row));
    }
  }
  return rows.sort();
}

export async function wipe(db: D1Database) {
  const all = [
    ...shardTables,
    ...shardTables.map((table) => `${table}_rebuild`),
    "activity",
    "rebuilds",
  ];
  await db.batch([
    ...all.map((table) => db.prepare(`DELETE FROM ${table}`)),
    db.prepare("UPDATE meta SET mirrored = 0"),
  ]);
}
