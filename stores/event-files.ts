/**
 * Parquet files of archived events, sorted by environment while they stream by, in a bounded amount of memory:
 * however many events and environments there are, at most so much text waits for its row group and so many bytes for their file.
 * What comes out depends on the events and their order alone.
 */

import type { ArchivedEvent } from "../contracts/archived-event.ts";
import { eventParquet } from "./event-parquet.ts";
import type { EventParquet } from "./event-parquet.ts";

export interface EventFile {
  environment: string;
  /** 0, 1, … of its environment. */
  part: number;
  rows: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface EventFiles {
  /** Files that are complete because there was no room for more. `length` is the event's as JSON. */
  add(event: ArchivedEvent, length: number): EventFile[];
  /** The rest, one after the other. */
  finish(): Iterable<EventFile>;
}

export interface Bounds {
  /** JSON characters of the events that wait for their row group; as columns they take about four times as many bytes. */
  waitingLength: number;
  /** Encoded bytes that wait for their file's end; joining a file takes them twice. */
  encodedBytes: number;
}

/** Together well inside the 128 MB of an isolate. */
const roomy: Bounds = { waitingLength: 8_000_000, encodedBytes: 16_000_000 };

interface Open {
  parquet: EventParquet;
  part: number;
  waitingLength: number;
}

export function eventFiles(bounds: Bounds = roomy): EventFiles {
  const open = new Map<string, Open>();
  const parts = new Map<string, number>();
  let waitingLength = 0;
  let encodedBytes = 0;

  function openFile(environment: string): Open {
    const part = parts.get(environment) ?? 0;
    parts.set(environment, part + 1);
    const file = { parquet: eventParquet(), part, waitingLength: 0 };
    open.set(environment, file);
    encodedBytes += file.parquet.encodedBytes;
    return file;
  }

  function largestFirst(size: (file: Open) => number): [string, Open][] {
    return [...open].toSorted(([, a], [, b]) => size(b) - size(a));
  }

  function endRowGroup(file: Open): void {
    const before = file.parquet.encodedBytes;
    file.parquet.endRowGroup();
    encodedBytes += file.parquet.encodedBytes - before;
    waitingLength -= file.waitingLength;
    file.waitingLength = 0;
  }

  function close(environment: string, file: Open): EventFile {
    endRowGroup(file);
    open.delete(environment);
    encodedBytes -= file.parquet.encodedBytes;
    const { parquet, part } = file;
    return { environment, part, rows: parquet.rows, bytes: parquet.finish() };
  }

  return {
    add(event, length) {
      const file = open.get(event.environment) ?? openFile(event.environment);
      file.parquet.add(event);
      file.waitingLength += length;
      waitingLength += length;
      if (waitingLength < bounds.waitingLength) return [];

      // The largest first: small environments go on filling their row groups and files.
      for (const [, each] of largestFirst((file) => file.waitingLength)) {
        if (waitingLength <= bounds.waitingLength / 2) break;
        endRowGroup(each);
      }
      if (encodedBytes < bounds.encodedBytes) return [];
      const complete: EventFile[] = [];
      for (const [environment, each] of largestFirst((file) => file.parquet.encodedBytes)) {
        if (encodedBytes <= bounds.encodedBytes / 2) break;
        complete.push(close(environment, each));
      }
      return complete;
    },

    *finish() {
      for (const [environment, file] of open) yield close(environment, file);
    },
  };
}
