/** Reads and writes the documents of many units at once: few statements, each within what D1 takes and gives. */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import { isStoredDocument } from "../counting/document.ts";
import type { TableSuffix } from "./delta-statements.ts";
import { jsonParameters } from "./json-parameters.ts";

const unitsAStatement = 1_000;
/** A result is at most 2 MB, and a statement gives one: this bounds what is read of documents at a time. */
const unitsARead = 4 * unitsAStatement;

/** What is known of a unit; undefined when nothing is. */
export type KnownUnit<Unit> = [unit: Unit, document: string | undefined];

/**
 * All of `units` in their order, at most some thousands of units and some megabytes at a time.
 * They may be newer than a version read before; then the write is refused.
 */
export async function* readDocuments<Unit extends { key: string }>(
  db: D1Database,
  units: Iterable<Unit>,
  suffix: TableSuffix,
): AsyncGenerator<KnownUnit<Unit>[]> {
  let some: Unit[] = [];
  for (const unit of units) {
    some.push(unit);
    if (some.length < unitsARead) continue;
    yield* readSome(db, some, suffix);
    some = [];
  }
  if (some.length > 0) yield* readSome(db, some, suffix);
}

/** By halves when it fails, which may mean that a result is larger than D1 gives. */
async function* readSome<Unit extends { key: string }>(
  db: D1Database,
  units: readonly Unit[],
  suffix: TableSuffix,
): AsyncGenerator<KnownUnit<Unit>[]> {
  let states: string[];
  try {
    const keys = units.map(({ key }) => key);
    states = await readStates(db, keys, suffix);
  } catch (error) {
    if (units.length === 1) throw error;
    const middle = Math.ceil(units.length / 2);
    yield* readSome(db, units.slice(0, middle), suffix);
    yield* readSome(db, units.slice(middle), suffix);
    return;
  }
  yield units.map((unit, i) => [unit, documentOf(unit.key, states[i])]);
}

/** One state a key, "" where there is none. */
async function readStates(
  db: D1Database,
  keys: readonly string[],
  suffix: TableSuffix,
): Promise<string[]> {
  const statement = db.prepare(
    `SELECT group_concat(coalesce(units.state, ''), char(10) ORDER BY wanted.key) AS states
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
  return results.flatMap(({ results }) => results.flatMap(({ states }) => states.split("\n")));
}

function documentOf(key: string, state = ""): string | undefined {
  if (state === "") return undefined;
  if (isStoredDocument(state)) return state;
  throw new Error(`the document of unit ${key} is of another format`);
}

export function unitStatements(
  db: D1Database,
  documents: ReadonlyMap<string, string>,
  suffix: TableSuffix,
): D1PreparedStatement[] {
  const statement = db.prepare(
    `INSERT INTO units${suffix} (key, state) SELECT key, value FROM json_each(?1) WHERE true
     ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
  );
  const members = [...documents].map(
    ([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`,
  );
  return jsonParameters(members, { open: "{", close: "}" }).map((each) => statement.bind(each));
}
