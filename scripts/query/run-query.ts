/** Runs SQL in DuckDB on the mirrored archive: the view `events` has every row of it, the views of views.sql are without repetitions. */

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Json } from "@duckdb/node-api";
import { UsageError } from "../local/options.ts";
import type { Mirror } from "./mirror.ts";

export interface Table {
  columns: string[];
  rows: Json[][];
}

const viewsFile = resolve(import.meta.dirname, "views.sql");

/** Throws a UsageError that says in one line what is wrong with the query. */
export async function runQuery(mirror: Mirror, sql: string): Promise<Table> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run("set TimeZone = 'UTC'");
    await connection.run(eventsView(mirror));
    await connection.run(await readFile(viewsFile, "utf8"));
    const result = await connection.runAndReadAll(sql).catch((error: unknown) => {
      throw new UsageError(oneLine(error));
    });
    return { columns: result.deduplicatedColumnNames(), rows: result.getRowsJson() };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** As docs/archive.md has the columns. */
const columns = `environment, date, hour, shard, type, time, received_at, config_version, source, kind, unit,
  experiment, phase, variant, sdk, bot, attributes, id, name, value, properties`;

const partitions = "'date': date, 'hour': integer, 'shard': integer";

function eventsView({ raw, parquet }: Mirror): string {
  const parts = [nothing];
  if (parquet.length > 0) {
    parts.push(`select ${columns} from read_parquet(${listOf(parquet)}, union_by_name = true,
      hive_partitioning = true, hive_types = {'environment': varchar, ${partitions}})`);
  }
  if (raw.length > 0) parts.push(`select ${columns} from (${rawEvents(listOf(raw))})`);
  return `create view events as ${parts.join(" union all ")}`;
}

/** The columns' types, and no row. */
const nothing = `select ${columns} from (select null::varchar as environment, null::date as date,
  null::integer as hour, null::integer as shard, null::varchar as type, null::timestamptz as time,
  null::timestamptz as received_at, null::bigint as config_version, null::varchar as source,
  null::varchar as kind, null::varchar as unit, null::varchar as experiment, null::bigint as phase,
  null::varchar as variant, null::varchar as sdk, null::boolean as bot, null::varchar as attributes, null::varchar as id,
  null::varchar as name, null::double as value, null::varchar as properties) where false`;

/** Lines of raw objects, which are messages (contracts/queue-message.ts), as the rows that their events become in Parquet. */
function rawEvents(files: string): string {
  return `with messages as (
      from read_json(${files}, format = 'newline_delimited', hive_partitioning = true, hive_types = {${partitions}},
        columns = {environment: 'varchar', version: 'bigint', receivedAtMs: 'bigint', names: 'varchar[]', exposures: 'json[]', outcomes: 'json[]'}))
    select environment, date, hour, shard, 'exposure' as type, make_timestamptz((receivedAtMs - (e->>3)::bigint) * 1000) as time,
      make_timestamptz(receivedAtMs * 1000) as received_at, version as config_version, names[1 + (e->>1)::int] as source,
      names[1 + (e->>0)::int] as kind, e->>2 as unit, names[1 + (e->>4)::int] as experiment, (e->>6)::bigint as phase,
      names[1 + (e->>5)::int] as variant, e->>7 as attributes, coalesce(e->>8, '0') = '1' as bot, names[1 + (e->>9)::int] as sdk
    from (select *, unnest(exposures) as e from messages)
    union all by name
    select environment, date, hour, shard, 'outcome' as type, make_timestamptz((receivedAtMs - (e->>3)::bigint) * 1000) as time,
      make_timestamptz(receivedAtMs * 1000) as received_at, version as config_version, names[1 + (e->>1)::int] as source,
      names[1 + (e->>0)::int] as kind, e->>2 as unit, e->>5 as id, names[1 + (e->>4)::int] as name,
      (e->>6)::double as value, e->>7 as properties
    from (select *, unnest(outcomes) as e from messages)`;
}

function listOf(files: readonly string[]): string {
  return `[${files.map((file) => `'${file.replaceAll("'", "''")}'`).join(", ")}]`;
}

/** DuckDB goes on with the place in the query, over several lines. */
function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [what = message] = message.split(/\n\s*LINE \d+:/);
  return what.trim().replaceAll(/\s*\n\s*/g, " ");
}
