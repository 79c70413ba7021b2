/**
 * A copy of a running local Edgewise's event archive in its state folder, for DuckDB, which cannot read the emulator's store:
 * what has not changed is not copied again, and what is gone is removed.
 */

import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { archivePrefixes } from "../../contracts/archive-keys.ts";
import { listArchive, readArchive } from "../local/control-socket.ts";
import type { ArchivePage } from "../local/control-socket.ts";

const copiesAtOnce = 8;
/** Of a file that a query is writing, or was when it was killed: with its process's id. */
const partialOf = (path: string, pid: number) => `${path}.${pid}.part`;
const partial = /\.(\d+)\.part$/;

type Listed = ArchivePage["objects"][number];

/** Files of one kind, absolute. */
export interface Mirror {
  raw: string[];
  parquet: string[];
}

export async function mirrorArchive(dataFolder: string): Promise<Mirror> {
  const folder = resolve(dataFolder, "archive");
  // Raw first: what is compacted in between is then there twice, which readers can live with, and never not at all.
  const raw = await mirrorPrefix(dataFolder, folder, archivePrefixes.raw);
  const parquet = await mirrorPrefix(dataFolder, folder, archivePrefixes.events);
  return { raw, parquet };
}

async function mirrorPrefix(dataFolder: string, folder: string, prefix: string): Promise<string[]> {
  const waiting = await listAll(dataFolder, prefix);
  const present = new Set<string>();
  const copyOn = async () => {
    for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) {
      const path = join(folder, object.key);
      if (await copy(dataFolder, object, path)) present.add(path);
    }
  };
  await Promise.all(Array.from({ length: copiesAtOnce }, copyOn));
  await removeAllBut(present, join(folder, prefix));
  return [...present];
}

async function listAll(dataFolder: string, prefix: string): Promise<Listed[]> {
  const objects: Listed[] = [];
  let cursor: string | null = null;
  do {
    const page: ArchivePage = await listArchive(dataFolder, prefix, cursor);
    objects.push(...page.objects);
    cursor = page.cursor;
  } while (cursor !== null);
  return objects;
}

/** False: the object is gone. */
async function copy(
  dataFolder: string,
  { key, size, uploadedMs }: Listed,
  path: string,
): Promise<boolean> {
  const known = await stat(path).catch(() => null);
  if (known?.size === size && known.mtimeMs === uploadedMs) return true;
  const bytes = await readArchive(dataFolder, key);
  if (bytes === null) return false;
  await mkdir(dirname(path), { recursive: true });
  const unfinished = partialOf(path, process.pid);
  await writeFile(unfinished, bytes);
  await utimes(unfinished, uploadedMs / 1_000, uploadedMs / 1_000);
  await rename(unfinished, path);
  return true;
}

async function removeAllBut(present: ReadonlySet<string>, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const writer = partial.exec(path)?.[1];
    const isWanted = writer === undefined ? present.has(path) : isRunning(Number(writer));
    if (entry.isFile() && !isWanted) await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
