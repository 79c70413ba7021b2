/**
 * Turns a group of raw objects into Parquet, in this order: every file, the manifest, and only then the raw objects go.
 * Killed in between, it is done again: files have the same keys and the same rows, and the manifest says when raw objects
 * that are missing are in the files. Two at once do the same things twice.
 */

import { readArchivedLine } from "../../contracts/archived-event.ts";
import type { ArchiveHour } from "../../contracts/archive-keys.ts";
import type { CompactMessage } from "../../contracts/analysis-message.ts";
import type { CompactionManifest } from "../../contracts/compaction.ts";
import { eventFiles } from "../../stores/event-files.ts";
import type { EventFile } from "../../stores/event-files.ts";
import type { CompactionStore } from "../../stores/compaction-store.ts";
import { RawObjectGone } from "../../stores/raw-archive.ts";
import type { RawArchive } from "../../stores/raw-archive.ts";

/** What an event as JSON has more than in a line of a raw object: names of its fields, and what its message says once. */
const namesLength = 200;

export interface Archive {
  raw: RawArchive;
  compactions: CompactionStore;
}

interface Group {
  hour: ArchiveHour;
  id: string;
  /** Ids of raw objects. */
  objects: readonly string[];
}

export async function compact(
  { raw, compactions }: Archive,
  { date, hour, shard, group: id }: CompactMessage,
): Promise<void> {
  const of: ArchiveHour = { date, hour, shard };
  const { plan } = await compactions.plan(of);
  const objects = plan.groups.find((group) => group.id === id)?.objects;
  // Purged, plan and all.
  if (objects === undefined) return;
  const group: Group = { hour: of, id, objects };
  if (!(await compactions.hasManifest(of, id))) {
    const manifest = await writeFiles({ raw, compactions }, group);
    if (manifest !== null) await compactions.saveManifest(of, id, manifest);
  }
  await raw.remove(of, objects);
}

/** Null: another attempt has finished meanwhile. */
async function writeFiles(
  { raw, compactions }: Archive,
  { hour, id, objects }: Group,
): Promise<CompactionManifest | null> {
  const written: CompactionManifest["files"] = [];
  const parts = new Map<string, number>();
  const write = async (files: Iterable<EventFile>) => {
    for (const file of files) {
      const key = await compactions.putFile(hour, id, file);
      written.push({ key, rows: file.rows, bytes: file.bytes.length });
      parts.set(file.environment, file.part + 1);
    }
  };
  const files = eventFiles();
  try {
    for await (const lines of raw.lines(hour, objects)) {
      for (const line of lines) {
        const events = readArchivedLine(line);
        const length = line.length / events.length + namesLength;
        for (const event of events) {
          const full = files.add(event, length);
          if (full.length > 0) await write(full);
        }
      }
    }
  } catch (error) {
    const isDone = error instanceof RawObjectGone && (await compactions.hasManifest(hour, id));
    if (isDone) return null;
    throw error;
  }
  await write(files.finish());
  await compactions.removeParts(hour, id, parts);
  const rows = written.reduce((sum, file) => sum + file.rows, 0);
  return { v: 1, objects: objects.length, rows, files: written };
}
