/**
 * One database METRICS_s: the units of a shard and what they add up to. `fold` counts events exactly once:
 * a unit's document and what it changes in cells are written in one transaction, and only when nobody else has written since it was read.
 * While a rebuild catches up, its tables get the same events in the same transaction, so that none is missing when they take over.
 * Hazard: it reads, folds and writes; with several consumers on one shard it stays right, but they undo each other's work.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import { Folding, groupByUnit } from "../counting/fold.ts";
import type { EventBatch, Folded, Plans } from "../counting/fold.ts";
import { activityStatements, deltaStatements } from "./delta-statements.ts";
import type { TableSuffix } from "./delta-statements.ts";
import { keptStatements, readKept } from "./kept-value-statements.ts";
import { nameStatements, nameTaken, readDictionary } from "./shard-names.ts";
import { progressStatements } from "./shard-progress.ts";
import { readDocuments, unitStatements } from "./unit-documents.ts";

const attempts = 5;
/** Of changed documents in one transaction. A fold of more is cut; one that is stopped in between is made again as a whole. */
const charactersAWrite = 6_000_000;
const lostRace = /NOT NULL constraint failed: meta\.version/;

export interface UnitShard {
  /** Rejects when D1 fails; then at most some units were counted, each as a whole, and folding the same events again is safe in any case. */
  fold(plans: Plans, batches: readonly EventBatch[], nowMs: number): Promise<void>;
}

export function unitShard(db: D1Database): UnitShard {
  return {
    async fold(plans, batches, nowMs) {
      const noted = progressStatements(db, batches, nowMs);
      await foldInto(db, plans, batches, { into: ["", "mirror"], noted });
    },
  };
}

/** Counts events into the tables of a rebuild alone, with their whole past: see `fold`. */
export async function foldIntoRebuild(
  db: D1Database,
  plans: Plans,
  batches: readonly EventBatch[],
): Promise<void> {
  await foldInto(db, plans, batches, { into: ["_rebuild"], noted: [] });
}

interface Target {
  /** "mirror": the rebuild's tables, if a rebuild asks for it. */
  into: (TableSuffix | "mirror")[];
  /** Written in any case, in the last transaction. */
  noted: D1PreparedStatement[];
}

async function foldInto(
  db: D1Database,
  plans: Plans,
  batches: readonly EventBatch[],
  target: Target,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    // What an earlier attempt has written changes nothing any more.
    if (await foldOnce(db, plans, batches, target)) return;
  }
  throw new Error(`the shard was written by others ${attempts} times in a row`);
}

/** False: somebody else has written meanwhile. */
async function foldOnce(
  db: D1Database,
  plans: Plans,
  batches: readonly EventBatch[],
  { into, noted }: Target,
): Promise<boolean> {
  const versions = await readVersions(db);
  const dictionary = await readDictionary(db, plans.keys());
  const units = groupByUnit(plans, batches, dictionary);
  const wanted = into.filter((each) => each !== "mirror" || versions.isMirrored);
  const suffixes = wanted.map((each) => (each === "mirror" ? "_rebuild" : each));
  const [first = ""] = suffixes;
  let foldings = begin(suffixes);
  const commit = async (last: readonly D1PreparedStatement[]) => {
    const statements = await changes(db, foldings, versions);
    if (statements.length > 0) statements.push(...nameStatements(db, dictionary));
    foldings = begin(suffixes);
    statements.push(...last);
    if (statements.length > 0 && !(await write(db, statements))) return false;
    dictionary.saved();
    return true;
  };

  for await (const known of readDocuments(db, units, first)) {
    let characters = 0;
    try {
      for (const [suffix, folding] of foldings) {
        const same = known.map(([unit]) => unit);
        const parts = suffix === first ? [known] : readDocuments(db, same, suffix);
        for await (const part of parts) folding.add(part);
        characters += folding.characters;
      }
    } catch (error) {
      // What others have written meanwhile may be in names that were not there when the dictionary was read.
      if (await isCurrent(db, versions)) throw error;
      return false;
    }
    if (characters > charactersAWrite && !(await commit([]))) return false;
  }
  return commit(noted);
}

function begin(suffixes: readonly TableSuffix[]): Map<TableSuffix, Folding> {
  return new Map(
    suffixes.map((suffix) => [suffix, new Folding({ keepsPast: suffix === "_rebuild" })]),
  );
}

/** What the foldings come to; `versions` are then those that these statements leave. */
async function changes(
  db: D1Database,
  foldings: ReadonlyMap<TableSuffix, Folding>,
  versions: Versions,
): Promise<D1PreparedStatement[]> {
  const statements: D1PreparedStatement[] = [];
  for (const [suffix, folding] of foldings) {
    const folded = folding.result(await readKept(db, folding.phases(), suffix));
    // A rebuild may begin to want a mirror between reading and writing: then this version is no longer the shard's.
    const own = writes(db, folded, suffix, versions[suffix]);
    if (own.length > 0) versions[suffix] += 1;
    statements.push(...own);
  }
  return statements;
}

interface Versions extends Record<TableSuffix, number> {
  isMirrored: boolean;
}

async function readVersions(db: D1Database): Promise<Versions> {
  const { results } = await db
    .prepare("SELECT version, mirrored FROM meta ORDER BY id")
    .all<{ version: number; mirrored: number }>();
  const [live, rebuild] = results;
  if (!live || !rebuild) throw new Error("the shard has no version: apply the migrations");
  return { "": live.version, _rebuild: rebuild.version, isMirrored: rebuild.mirrored === 1 };
}

/** Whether nobody else has written since they were read. */
async function isCurrent(db: D1Database, versions: Versions): Promise<boolean> {
  const now = await readVersions(db);
  return now[""] === versions[""] && now._rebuild === versions._rebuild;
}

/** None when nothing changes. */
function writes(
  db: D1Database,
  folded: Folded,
  suffix: TableSuffix,
  version: number,
): D1PreparedStatement[] {
  if (folded.documents.size === 0 && folded.kept.length === 0) return [];
  const guard = db
    .prepare("UPDATE meta SET version = CASE WHEN version = ?1 THEN version + 1 END WHERE id = ?2")
    .bind(version, suffix === "" ? 1 : 2);
  return [
    guard,
    ...unitStatements(db, folded.documents, suffix),
    ...keptStatements(db, folded.kept, suffix),
    ...deltaStatements(db, folded, suffix),
    ...(suffix === "" ? activityStatements(db, folded, version + 1) : []),
  ];
}

/** False: somebody else wrote since the versions were read, and nothing was written. */
async function write(db: D1Database, statements: D1PreparedStatement[]): Promise<boolean> {
  try {
    await db.batch(statements);
    return true;
  } catch (error) {
    const isLost =
      error instanceof Error && [lostRace, nameTaken].some((each) => each.test(error.message));
    if (isLost) return false;
    throw error;
  }
}
