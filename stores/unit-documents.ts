/** Reads and writes the documents of many units at once: few statements, each within what D1 takes and gives. */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import { isStoredDocument } from "../counting/document.ts";
import type { StoredDocument } from "../counting/document.ts";
import type { TableSuffix } from "./delta-statements.ts";
import { jsonParameters } from "./json-parameters.ts";

const unitsAStatement = 1_000;
/** A result is at most 2 MB: this bounds what is read of documents at a time. */
const statementsARead = 4;

/** What is known of a unit; undefined when nothing is. */
export type KnownUnit = [key: string, document: StoredDocument | undefined];

/**
 * All of `keys` in their order, at most some thousands of units and some megabytes at a time.
 * They may be newer than a version read before; then the write is refused.
 */
export async function* readDocuments(
  db: D1Database,
  keys: readonly string[],
  suffix: TableSuffix,
): AsyncGenerator<KnownUnit[]> {
  const step = unitsAStatement * statementsARead;
  for (let start = 0; start < keys.length; start += step) {
    yield* readSome(db, keys.slice(start, start + step), suffix);
  }
}

/** By halves when it fails, which may mean that a result is larger than D1 gives. */
async function* readSome(
  db: D1Database,
  keys: readonly string[],
  suffix: TableSuffix,
): AsyncGenerator<KnownUnit[]> {
  let states: unknown[];
  try {
    states = await readStates(db, keys, suffix);
  } catch (error) {
    if (keys.length === 1) throw error;
    const middle = Math.ceil(keys.length / 2);
    yield* readSome(db, keys.slice(0, middle), suffix);
    yield* readSome(db, keys.slice(middle), suffix);
    return;
  }
  yield keys.map((key, i) => [key, documentOf(key, states[i])]);
}

/** One state a key, 0 where there is none. */
async function readStates(
  db: D1Database,
  keys: readonly string[],
  suffix: TableSuffix,
): Promise<unknown[]> {
  const statement = db.prepare(
    `SELECT group_concat(coalesce(units.state, '0'), ',' ORDER BY wanted.key) AS states
     FROM json_each(?1) AS wanted LEFT JOIN units${suffix} AS units ON units.key = wanted.value`,
  );
  const parameters = jsonParameters(
    keys.map((key) => JSON.stringify(key)),
    { open: "[", close: "]" },
    unitsAStatement,
  );
  const results = await db.batch<{ states: string }>(
    parameters.map((parameter) => statement.bind(parameter)),
  );
  return results.flatMap(({ results }) =>
    results.flatMap(({ states }): unknown[] => parseArray(`[${states}]`)),
  );
}

function documentOf(key: string, state: unknown): StoredDocument | undefined {
  if (state === 0) return undefined;
  if (isStoredDocument(state)) return state;
  throw new Error(`the document of unit ${key} is of another format`);
}

function parseArray(text: string): unknown[] {
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [];
}

export function unitStatements(
  db: D1Database,
  documents: ReadonlyMap<string, string>,
  suffix: TableSuffix,
): D1PreparedStatement[] {
  // As an object of documents: json_each hands an array on as text without reading into it.
  const statement = db.prepare(
    `INSERT INTO units${suffix} (key, state) SELECT key, value FROM json_each(?1) WHERE true
     ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
  );
  const members = [...documents].map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return jsonParameters(members, { open: "{", close: "}" }).map((each) => statement.bind(each));
}
