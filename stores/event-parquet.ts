/**
 * One Parquet file of archived events of one environment, built row group by row group in memory: schema version 1,
 * as docs/archive.md has it. The same events in the same row groups always make the same bytes.
 */

import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ColumnSource, SchemaElement } from "hyparquet-writer";
import type {
  ArchivedEvent,
  ArchivedExposure,
  ArchivedOutcome,
} from "../contracts/archived-event.ts";

interface Column {
  element: SchemaElement;
  encoding?: NonNullable<ColumnSource["encoding"]>;
  /** False: least and greatest value of a row group would help nobody to skip it. */
  statistics?: false;
  valueOf: (event: ArchivedEvent) => unknown;
}

const required = { repetition_type: "REQUIRED" } as const;
const optional = { repetition_type: "OPTIONAL" } as const;
const text = {
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  logical_type: { type: "STRING" },
} as const;
const instant = {
  type: "INT64",
  converted_type: "TIMESTAMP_MILLIS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
} as const;
/** Numbers that hardly differ from one row to the next take a byte or two each. */
const delta = "DELTA_BINARY_PACKED";

const ofExposure = (valueOf: (event: ArchivedExposure) => unknown) => (event: ArchivedEvent) =>
  event.type === "exposure" ? valueOf(event) : null;
const ofOutcome = (valueOf: (event: ArchivedOutcome) => unknown) => (event: ArchivedEvent) =>
  event.type === "outcome" ? valueOf(event) : null;
const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));

/** The environment is a partition, and in no column. */
const columns: Column[] = [
  { element: { name: "type", ...text, ...required }, valueOf: ({ type }) => type },
  {
    element: { name: "time", ...instant, ...required },
    encoding: delta,
    valueOf: ({ timeMs }) => timeMs,
  },
  {
    element: { name: "received_at", ...instant, ...required },
    encoding: delta,
    valueOf: ({ receivedAtMs }) => receivedAtMs,
  },
  {
    element: { name: "config_version", type: "INT64", ...required },
    encoding: delta,
    valueOf: ({ version }) => version,
  },
  { element: { name: "source", ...text, ...required }, valueOf: ({ source }) => source },
  { element: { name: "kind", ...text, ...required }, valueOf: ({ kind }) => kind },
  {
    element: { name: "unit", ...text, ...required },
    statistics: false,
    valueOf: ({ unit }) => unit,
  },
  {
    element: { name: "experiment", ...text, ...optional },
    valueOf: ofExposure(({ experiment }) => experiment),
  },
  {
    element: { name: "phase", type: "INT64", ...optional },
    encoding: delta,
    valueOf: ofExposure(({ phase }) => phase),
  },
  {
    element: { name: "variant", ...text, ...optional },
    valueOf: ofExposure(({ variant }) => variant),
  },
  {
    element: { name: "sdk", ...text, ...optional },
    valueOf: ofExposure(({ sdk }) => sdk),
  },
  {
    element: { name: "bot", type: "BOOLEAN", ...optional },
    valueOf: ofExposure(({ bot }) => bot ?? false),
  },
  {
    element: { name: "attributes", ...text, ...optional },
    statistics: false,
    valueOf: ofExposure(({ attributes }) => json(attributes)),
  },
  {
    element: { name: "id", ...text, ...optional },
    statistics: false,
    valueOf: ofOutcome(({ id }) => id),
  },
  { element: { name: "name", ...text, ...optional }, valueOf: ofOutcome(({ name }) => name) },
  {
    element: { name: "value", type: "DOUBLE", ...optional },
    valueOf: ofOutcome(({ value }) => value),
  },
  {
    element: { name: "properties", ...text, ...optional },
    statistics: false,
    valueOf: ofOutcome(({ properties }) => json(properties)),
  },
];

const schema: SchemaElement[] = [
  { name: "event", num_children: columns.length },
  ...columns.map(({ element }) => element),
];

export interface EventParquet {
  /** Keeps the event for the next row group. */
  add(event: ArchivedEvent): void;
  /** Encodes what was kept; nothing when nothing was. */
  endRowGroup(): void;
  /** Of the row groups that have ended. */
  readonly encodedBytes: number;
  /** All events that were added. */
  readonly rows: number;
  /** The whole file; nothing may be added after it. */
  finish(): Uint8Array<ArrayBuffer>;
}

export function eventParquet(): EventParquet {
  const writer = new ChunkedWriter();
  const parquet = new ParquetWriter({
    writer,
    schema,
    createdBy: "edgewise",
    kvMetadata: [{ key: "edgewise.schema", value: "1" }],
  });
  let kept: unknown[][] = columns.map(() => []);
  let rows = 0;

  function endRowGroup(): void {
    const size = kept[0]?.length ?? 0;
    if (size === 0) return;
    const columnData = columns.map(({ element, encoding, statistics }, i) => ({
      name: element.name,
      data: kept[i] ?? [],
      ...(encoding !== undefined && { encoding }),
      ...(statistics !== undefined && { statistics }),
    }));
    kept = columns.map(() => []);
    void parquet.write({ columnData, rowGroupSize: size });
  }

  return {
    add(event) {
      for (const [i, { valueOf }] of columns.entries()) kept[i]?.push(valueOf(event) ?? null);
      rows++;
    },
    endRowGroup,
    get encodedBytes() {
      return writer.offset;
    },
    get rows() {
      return rows;
    },
    finish() {
      endRowGroup();
      void parquet.finish();
      return writer.joined();
    },
  };
}

/** Keeps what is written in chunks of a row group: one growing buffer would be copied each time that it is full. */
class ChunkedWriter extends ByteWriter {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];

  flush(): void {
    this.#chunks.push(this.getBytes().slice());
    this.index = 0;
  }

  joined(): Uint8Array<ArrayBuffer> {
    this.flush();
    const bytes = new Uint8Array(this.offset);
    let start = 0;
    // One after the other they may be collected.
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      bytes.set(chunk, start);
      start += chunk.length;
    }
    return bytes;
  }
}
