/** Reads a finished experiment's rows from CSV. A row that makes no sense is told with its line number, never guessed at. */

import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import { limits } from "../../contracts/limits.ts";
import { UsageError } from "../local/options.ts";

export interface Columns {
  unit: string;
  variant: string;
  /** Column by metric. */
  metrics: ReadonlyMap<string, string>;
}

export interface Row {
  line: number;
  unit: string;
  variant: string;
  /** By metric, in the order of `Columns.metrics`. */
  values: number[];
}

export interface Nonsense {
  line: number;
  reason: string;
}

export type Reading = { row: Row } | { nonsense: Nonsense };

const trueWords = new Set(["true", "t", "yes", "y"]);
const falseWords = new Set(["false", "f", "no", "n"]);

export async function* readRows(file: string, columns: Columns): AsyncGenerator<Reading> {
  const lines = new Map<string, number>();
  let header: string[] | null = null;
  for await (const { record, line } of records(file)) {
    if (header === null) {
      header = record;
      requireColumns(header, columns);
      continue;
    }
    const reading = readRow({ record, line, header, columns });
    if ("row" in reading) {
      const { unit } = reading.row;
      const earlier = lines.get(unit);
      if (earlier !== undefined) {
        yield { nonsense: { line, reason: `unit ${unit} stands on line ${earlier} already` } };
        continue;
      }
      lines.set(unit, line);
    }
    yield reading;
  }
  if (header === null)
    throw new UsageError(`${file} is empty; its first line must name the columns`);
}

async function* records(file: string): AsyncGenerator<{ record: string[]; line: number }> {
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const source = createReadStream(file).once("error", (error) => parser.destroy(error));
  const parsed: AsyncIterable<{ record: string[]; info: { lines: number } }> = source.pipe(parser);
  try {
    for await (const { record, info } of parsed) yield { record, line: info.lines };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function requireColumns(header: readonly string[], { unit, variant, metrics }: Columns): void {
  for (const column of [unit, variant, ...metrics.values()]) {
    if (!header.includes(column)) {
      throw new UsageError(`there is no column ${column}; the file has ${header.join(", ")}`);
    }
  }
}

function readRow(input: {
  record: readonly string[];
  line: number;
  header: readonly string[];
  columns: Columns;
}): Reading {
  const { record, line, header, columns } = input;
  const nonsense = (reason: string): Reading => ({ nonsense: { line, reason } });
  if (record.length !== header.length) {
    return nonsense(`${record.length} fields where the header has ${header.length}`);
  }
  const field = (column: string) => record[header.indexOf(column)] ?? "";
  const unit = field(columns.unit);
  const variant = field(columns.variant);
  if (unit === "") return nonsense(`${columns.unit} (the unit) is empty`);
  if (unit.length > limits.unitLength) {
    return nonsense(`${columns.unit} (the unit) has more than ${limits.unitLength} characters`);
  }
  if (variant === "") return nonsense(`${columns.variant} (the variant) is empty`);
  const values: number[] = [];
  for (const column of columns.metrics.values()) {
    const value = valueOf(field(column));
    if (value === null) {
      return nonsense(`${column} is ${JSON.stringify(field(column))}, not a boolean or a number`);
    }
    if (Math.abs(value) > limits.outcomeValue) {
      return nonsense(`${column} is ${field(column)}, beyond ${limits.outcomeValue}`);
    }
    values.push(value);
  }
  return { row: { line, unit, variant, values } };
}

/** Booleans are 0 and 1. */
function valueOf(text: string): number | null {
  const word = text.toLowerCase();
  if (trueWords.has(word)) return 1;
  if (falseWords.has(word)) return 0;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(word)) return null;
  const value = Number(word);
  return Number.isFinite(value) ? value : null;
}
