/**
 * One database METRICS_s: the units of a shard and what they add up to. `fold` counts events exactly once:
 * documents and cells change in one transaction, and only when nobody else has written since the documents were read.
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
/** A rebuild's documents keep their past, and are in memory together with the others. */
const eventsAMirroredFold = 5_000;
const lostRace = /NOT NULL constraint failed: meta\.version/;

export interface UnitShard {
  /** Rejects when D1 fails; then nothing was counted, and folding the same events again is safe in any case. */
  fold(plans: Plans, batches: readonly EventBatch[], nowMs: number): Promise<void>;
}

export function unitShard(db: D1Database): UnitShard {
  return {
    async fold(plans, batches, nowMs) {
      const noted = (some: readonly EventBatch[]) => progressStatements(db, some, nowMs);
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
  await foldInto(db, plans, batches, { into: ["_rebuild"], noted: () => [] });
}

interface Target {
  /** "mirror": the rebuild's tables, if a rebuild asks for it. */
  into: (TableSuffix | "mirror")[];
  /** Written in any case, in the same transaction. */
  noted: (batches: readonly EventBatch[]) => D1PreparedStatement[];
}

async function foldInto(
  db: D1Database,
  plans: Plans,
  batches: readonly EventBatch[],
  target: Target,
): Promise<void> {
  const { into, noted } = target;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const versions = await readVersions(db);
    const parts = partsOf(batches);
    if (into.includes("mirror") && versions.isMirrored && parts.length > 1) {
      for (const part of parts) await foldInto(db, plans, part, target);
      return;
    }
    const dictionary = await readDictionary(db, plans.keys());
    const units = groupByUnit(plans, batches, dictionary);
    const keys = [...units.keys()];
    const statements: D1PreparedStatement[] = [];
    for (const target of into) {
      if (target === "mirror" && !versions.isMirrored) continue;
      const suffix = target === "mirror" ? "_rebuild" : target;
      const folding = new Folding({ keepsPast: suffix === "_rebuild" });
      for await (const known of readDocuments(db, keys, suffix)) {
        for (const [key, document] of known) {
          const unit = units.get(key);
          if (unit) folding.add(key, unit, document);
        }
      }
      const folded = folding.result(await readKept(db, folding.phases(), suffix));
      // A rebuild may begin to want a mirror between reading and writing: then this version is no longer the shard's.
      statements.push(...writes(db, folded, suffix, versions[suffix]));
    }
    if (statements.length > 0) statements.push(...nameStatements(db, dictionary));
    const all = [...statements, ...noted(batches)];
    if (all.length === 0 || (await write(db, all))) return;
  }
  throw new Error(`the shard was written by others ${attempts} times in a row`);
}

/** How a batch may be cut does not matter to the result. */
function partsOf(batches: readonly EventBatch[]): EventBatch[][] {
  const parts: EventBatch[][] = [];
  let events = Infinity;
  for (const batch of batches) {
    if (events + batch.events.length > eventsAMirroredFold) {
      parts.push([]);
      events = 0;
    }
    parts.at(-1)?.push(batch);
    events += batch.events.length;
  }
  return parts;
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
