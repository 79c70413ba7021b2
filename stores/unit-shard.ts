/**
 * One database METRICS_s: the units of a shard and what they add up to. `fold` counts events exactly once:
 * documents and cells change in one transaction, and only when nobody else has written since the documents were read.
 * Hazard: it reads, folds and writes; with several consumers on one shard it stays right, but they undo each other's work.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import { isStoredDocument } from "../counting/document.ts";
import type { StoredDocument } from "../counting/document.ts";
import { fold, groupByUnit } from "../counting/fold.ts";
import type { EventBatch, Folded, Plans } from "../counting/fold.ts";
import { deltaStatements } from "./delta-statements.ts";
import { jsonParameters } from "./json-parameters.ts";

const attempts = 5;
const unitsAStatement = 1_000;
const statementsARead = 8;
const lostRace = /NOT NULL constraint failed: meta\.version/;

export interface UnitShard {
  /** Rejects when D1 fails; then nothing was counted, and folding the same events again is safe in any case. */
  fold(plans: Plans, batches: readonly EventBatch[]): Promise<void>;
}

export function unitShard(db: D1Database): UnitShard {
  return {
    async fold(plans, batches) {
      const units = groupByUnit(plans, batches);
      const keys = [...units.keys()];
      for (let attempt = 0; attempt < attempts; attempt++) {
        const version = await readVersion(db);
        const folded = fold(await readDocuments(db, keys), units);
        if (folded.documents.size === 0) return;
        if (await write(db, version, folded)) return;
      }
      throw new Error(`the shard was written by others ${attempts} times in a row`);
    },
  };
}

async function readVersion(db: D1Database): Promise<number> {
  const version = await db.prepare("SELECT version FROM meta WHERE id = 1").first("version");
  if (typeof version !== "number")
    throw new Error("the shard has no version: apply the migrations");
  return version;
}

/** Documents of the units that have one. They may be newer than a version read before; then the write is refused. */
async function readDocuments(
  db: D1Database,
  keys: readonly string[],
): Promise<Map<string, StoredDocument>> {
  const documents = new Map<string, StoredDocument>();
  const step = unitsAStatement * statementsARead;
  for (let start = 0; start < keys.length; start += step) {
    const some = keys.slice(start, start + step);
    const states = await readStates(db, some);
    for (const [i, key] of some.entries()) {
      const state = states[i];
      if (state === 0) continue;
      if (!isStoredDocument(state))
        throw new Error(`the document of unit ${key} is of a newer format`);
      documents.set(key, state);
    }
  }
  return documents;
}

/** One state a key, 0 where there is none. A result is at most 2 MB, and a failing read may mean more: then by halves. */
async function readStates(db: D1Database, keys: readonly string[]): Promise<unknown[]> {
  const statement = db.prepare(
    `SELECT group_concat(coalesce(units.state, '0'), ',' ORDER BY wanted.key) AS states
     FROM json_each(?1) AS wanted LEFT JOIN units ON units.key = wanted.value`,
  );
  const parameters = jsonParameters(
    keys.map((key) => JSON.stringify(key)),
    { open: "[", close: "]" },
    unitsAStatement,
  );
  try {
    const results = await db.batch<{ states: string }>(
      parameters.map((parameter) => statement.bind(parameter)),
    );
    return results.flatMap(({ results }) =>
      results.flatMap(({ states }): unknown[] => parseArray(`[${states}]`)),
    );
  } catch (error) {
    if (keys.length === 1) throw error;
    const middle = Math.ceil(keys.length / 2);
    const first = await readStates(db, keys.slice(0, middle));
    return [...first, ...(await readStates(db, keys.slice(middle)))];
  }
}

function parseArray(text: string): unknown[] {
  const parsed: unknown = JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [];
}

/** False: somebody else wrote since `version` was read, and nothing was written. */
async function write(db: D1Database, version: number, folded: Folded): Promise<boolean> {
  const guard = db
    .prepare("UPDATE meta SET version = CASE WHEN version = ?1 THEN version + 1 END WHERE id = 1")
    .bind(version);
  try {
    await db.batch([
      guard,
      ...unitWrites(db, folded.documents),
      ...deltaStatements(db, folded, version + 1),
    ]);
    return true;
  } catch (error) {
    if (error instanceof Error && lostRace.test(error.message)) return false;
    throw error;
  }
}

function unitWrites(db: D1Database, documents: ReadonlyMap<string, string>): D1PreparedStatement[] {
  // As an object of documents: json_each hands an array on as text without reading into it.
  const statement = db.prepare(
    `INSERT INTO units (key, state) SELECT key, value FROM json_each(?1) WHERE true
     ON CONFLICT (key) DO UPDATE SET state = excluded.state`,
  );
  const members = [...documents].map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return jsonParameters(members, { open: "{", close: "}" }).map((each) => statement.bind(each));
}
