/**
 * R2 ARCHIVE, read back whole: every event of a shard, the oldest hour of processing first, raw objects and Parquet alike.
 * At least once: an event may come twice, within an hour in any order. Whatever was in the archive when reading began comes.
 * Hazard: a compaction may move objects while they are read; then reading throws, and begins again at the cursor.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import {
  archiveKeys,
  archivePrefixes,
  dateAndHour,
  parseRawKey,
} from "../contracts/archive-keys.ts";
import type { ArchiveHour } from "../contracts/archive-keys.ts";
import { readArchivedLine } from "../contracts/archived-event.ts";
import type { ArchivedEvent } from "../contracts/archived-event.ts";
import { compactionPlan } from "../contracts/compaction.ts";
import { eventRows } from "./event-rows.ts";
import { rawArchive } from "./raw-archive.ts";

export interface ArchivePage {
  /** Some, or none when a part of the archive is at its end. */
  events: ArchivedEvent[];
  /** Where to go on when these have been dealt with; null in the middle of what can only be read as one. */
  cursor: string | null;
}

export interface ArchiveReader {
  /** After `cursor`, "" for the beginning, until the hour of `nowMs` and its end as it is. */
  read(shard: number, cursor: string, nowMs: number): AsyncGenerator<ArchivePage>;
}

const hourMs = 3_600_000;
const manifest = z.object({ files: z.array(z.object({ key: z.string() })) });
/** After every id of an hour. */
const wholeHour = "~";

/** What an hour consists of: raw objects, and the files that took the place of others. `lastId`: of a raw object. */
type Piece = { lastId: string } & ({ raw: string } | { files: string[] });

/** A cursor so much earlier: for objects that became visible late. */
export function rewound(cursor: string, byMs: number): string {
  const { hourStartMs, id } = placeOf(cursor);
  if (hourStartMs === null) return "";
  const idMs = /^[\da-f]{8}-[\da-f]{4}-7/.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : hourStartMs;
  const ms = Math.max(0, idMs - byMs);
  const hex = ms.toString(16).padStart(12, "0");
  const { date, hour } = dateAndHour(ms);
  return `${date}/${hour}/${hex.slice(0, 8)}-${hex.slice(8)}`;
}

export function archiveReader(bucket: R2Bucket): ArchiveReader {
  const raw = rawArchive(bucket);

  /** When the archive begins; null when it is empty. */
  async function firstHourMs(): Promise<number | null> {
    const firsts = await Promise.all(
      [archivePrefixes.raw, archivePrefixes.compactions].map(async (prefix) => {
        const [first] = (await bucket.list({ prefix, limit: 1 })).objects;
        const [, date, hour] = /date=([\d-]{10})\/hour=(\d\d)\//.exec(first?.key ?? "") ?? [];
        return date === undefined || hour === undefined ? [] : [startOf(date, hour)];
      }),
    );
    const known = firsts.flat();
    return known.length === 0 ? null : Math.min(...known);
  }

  /** In the order of their ids. */
  async function piecesOf(of: ArchiveHour): Promise<Piece[]> {
    const pieces: Piece[] = (await rawIds(of)).map((id) => ({ lastId: id, raw: id }));
    const stored = await bucket.get(archiveKeys.plan(of));
    if (stored === null) return pieces;
    const { groups } = z.parse(compactionPlan, await stored.json());
    for (const { id, objects } of groups) {
      const done = await bucket.get(archiveKeys.manifest(of, id));
      const lastId = objects.toSorted().at(-1);
      if (done === null || lastId === undefined) continue;
      const files = z.parse(manifest, await done.json()).files.map(({ key }) => key);
      pieces.push({ lastId, files });
    }
    return pieces.toSorted((a, b) => (a.lastId < b.lastId ? -1 : 1));
  }

  async function rawIds({ date, hour, shard }: ArchiveHour): Promise<string[]> {
    const prefix = `${archivePrefixes.raw}date=${date}/hour=${hour}/shard=${shard}/`;
    const ids: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
      ids.push(...page.objects.flatMap(({ key }) => parseRawKey(key)?.id ?? []));
      if (!page.truncated) return ids;
      cursor = page.cursor;
    }
  }

  async function* eventsOf(of: ArchiveHour, piece: Piece): AsyncGenerator<ArchivedEvent[]> {
    if ("raw" in piece) {
      for await (const lines of raw.lines(of, [piece.raw])) yield lines.flatMap(readArchivedLine);
      return;
    }
    for (const key of piece.files) {
      const file = await bucket.get(key);
      if (file === null) throw new Error(`${key} is not there: removed while it was to be read`);
      yield* eventRows(key, await file.arrayBuffer());
    }
  }

  return {
    async *read(shard, cursor, nowMs) {
      const from = placeOf(cursor);
      const startMs = from.hourStartMs ?? (await firstHourMs());
      if (startMs === null) return;
      for (let atMs = startMs; atMs <= nowMs; atMs += hourMs) {
        const of = { ...dateAndHour(atMs), shard };
        const afterId = atMs === from.hourStartMs ? from.id : "";
        for (const piece of await piecesOf(of)) {
          if (piece.lastId <= afterId) continue;
          for await (const events of eventsOf(of, piece)) yield { events, cursor: null };
          yield { events: [], cursor: `${of.date}/${of.hour}/${piece.lastId}` };
        }
        // The hour that is under way has no end yet.
        const isOver = atMs + hourMs <= nowMs;
        if (isOver) yield { events: [], cursor: `${of.date}/${of.hour}/${wholeHour}` };
      }
    },
  };
}

function placeOf(cursor: string): { hourStartMs: number | null; id: string } {
  const [date = "", hour = "", id = ""] = cursor.split("/");
  return { hourStartMs: cursor === "" ? null : startOf(date, hour), id };
}

function startOf(date: string, hour: string): number {
  return Date.parse(`${date}T${hour}:00:00.000Z`);
}
