/** The rows of an archived Parquet file (event-parquet.ts) as the events that they were made of, a row group at a time. */

import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { readArchivedEvent } from "../contracts/archived-event.ts";
import type { ArchivedEvent } from "../contracts/archived-event.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The default takes a byte order mark off, and with it would make one unit of two. */
const parsers = { stringFromBytes: (bytes: Uint8Array) => bytes && utf8.decode(bytes) };

/** `key` names the environment, which is in no column. Throws on a row that is no event. */
export async function* eventRows(key: string, file: ArrayBuffer): AsyncGenerator<ArchivedEvent[]> {
  const environment = decodeURIComponent(/\/environment=([^/]*)\//.exec(key)?.[1] ?? "");
  const metadata = parquetMetadata(file);
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    const rows = await parquetReadObjects({ file, metadata, parsers, rowStart, rowEnd });
    yield rows.map((row) => eventOf(environment, row));
    rowStart = rowEnd;
  }
}

function eventOf(environment: string, row: { [column: string]: unknown }): ArchivedEvent {
  const { time, received_at, config_version, attributes, properties, bot, ...same } = row;
  const event = {
    environment,
    version: numberOf(config_version),
    receivedAtMs: numberOf(received_at),
    timeMs: numberOf(time),
    ...(bot === true && { bot }),
    ...jsonOf("attributes", attributes),
    ...jsonOf("properties", properties),
  };
  const present = Object.entries(same).filter(([, value]) => value !== null);
  return readArchivedEvent(JSON.stringify({ ...event, ...Object.fromEntries(present.map(plain)) }));
}

function plain([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === "bigint" ? Number(value) : value];
}

function numberOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : Number(value);
}

function jsonOf(name: string, text: unknown): { [name: string]: unknown } {
  if (typeof text !== "string") return {};
  const value: unknown = JSON.parse(text);
  return { [name]: value };
}
