/**
 * The dictionary of a shard METRICS_s (counting/names.ts). Numbers are only ever added, in the transaction that first uses them:
 * of two writers that give one number to different names, the second is refused as a whole, and reads again.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import { Dictionary } from "../counting/names.ts";
import { jsonParameters } from "./json-parameters.ts";

/** What D1 says to the second of them. */
export const nameTaken = /UNIQUE constraint failed: names/;

const list = z.object({ environment: z.string(), lastId: z.number(), names: z.string() });
const texts = z.array(z.string());

/** The names of these environments, and every environment with its unit kinds. */
export async function readDictionary(
  db: D1Database,
  environments: Iterable<string>,
): Promise<Dictionary> {
  const { results } = await db
    .prepare(
      `SELECT environment, max(id) AS lastId, json_group_array(name ORDER BY id) AS names FROM names
       WHERE environment IN (SELECT value FROM json_each(?1)) GROUP BY environment`,
    )
    .bind(JSON.stringify(["", ...environments]))
    .all();
  const lists = z.parse(z.array(list), results);
  return new Dictionary(new Map(lists.map((each) => [each.environment, namesIn(each)])));
}

/** By number. */
function namesIn({ environment, lastId, names }: z.output<typeof list>): string[] {
  const known = z.parse(texts, JSON.parse(names));
  if (known.length === lastId + 1) return known;
  throw new Error(`names of environment "${environment}" are missing: documents cannot be read`);
}

/** None when no name is new. */
export function nameStatements(db: D1Database, dictionary: Dictionary): D1PreparedStatement[] {
  const statement = db.prepare(
    `INSERT INTO names (environment, id, name)
     SELECT row.value ->> 0, row.value ->> 1, row.value ->> 2 FROM json_each(?1) AS row`,
  );
  const rows = dictionary
    .added()
    .map(({ environment, id, name }) => JSON.stringify([environment, id, name]));
  return jsonParameters(rows, { open: "[", close: "]" }).map((each) => statement.bind(each));
}
