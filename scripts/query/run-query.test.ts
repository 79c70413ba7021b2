import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveKeys } from "../../contracts/archive-keys.ts";
import type { ArchivedEvent } from "../../contracts/archived-event.ts";
import type { CountedEvent } from "../../counting/types.ts";
import { eventFiles } from "../../stores/event-files.ts";
import { bought, exposed, hour, start } from "../../test/checkout-events.ts";
import { messageTexts } from "../../test/message-texts.ts";
import { UsageError } from "../local/options.ts";
import type { Mirror } from "./mirror.ts";
import { runQuery } from "./run-query.ts";

const at = { date: "2026-01-05", hour: "07", shard: 2 };

let folder: string;
let mirror: Mirror;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewise-query-"));
  mirror = { raw: [], parquet: [] };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const archived = (
  event: CountedEvent,
  receivedAtMs = start + 5,
  environment = "e",
): ArchivedEvent => ({
  environment,
  version: 7,
  receivedAtMs,
  ...event,
});

async function write(key: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

async function keepRaw(...events: ArchivedEvent[]) {
  const lines = events.flatMap(({ environment, version, receivedAtMs, ...event }) =>
    messageTexts({ environment, version, receivedAtMs, events: [event] }),
  );
  const text = lines.map((line) => `${line}\n`).join("");
  const key = archiveKeys.raw({ ...at, id: `${mirror.raw.length}` });
  mirror.raw.push(await write(key, gzipSync(text)));
}

async function keepParquet(...events: ArchivedEvent[]) {
  const files = eventFiles();
  for (const event of events) files.add(event, 100);
  for (const file of files.finish()) {
    const key = archiveKeys.events(file.environment, at, `${mirror.parquet.length}`, file.part);
    mirror.parquet.push(await write(key, file.bytes));
  }
}

const rowsOf = async (sql: string) => (await runQuery(mirror, sql)).rows;

describe("events", () => {
  const events = [
    archived(exposed({ phase: 2, attributes: { country: "Côte d'Ivoire", "ü'\"": [1, null] } })),
    archived(exposed({ bot: true, sdk: "web/1" })),
    archived(bought(start + 1, 0.1 + 0.2, { properties: { sku: "汉字👩‍👩‍👧" }, id: "\ufeffx" })),
    archived(bought(Date.UTC(1999, 11, 31, 23, 59, 59, 999), 1e15, { id: "o/1" }), start, "f/ü'"),
    archived(bought(start, undefined, { id: "o2" }), start, "f/ü'"),
  ];

  test("are the same rows from Parquet and from raw objects", async () => {
    await keepParquet(...events);
    const parquet = await runQuery(mirror, "select * from events order by all");
    mirror.parquet = [];
    await keepRaw(...events);
    expect(await runQuery(mirror, "select * from events order by all")).toEqual(parquet);
    expect(parquet.columns).toEqual(
      "environment date hour shard type time received_at config_version source kind unit experiment phase variant sdk bot attributes id name value properties".split(
        " ",
      ),
    );
    const row: unknown[] = ["f/ü'", "2026-01-05", 7, 2, "outcome", "1999-12-31 23:59:59.999+00"];
    row.push(
      "2026-01-05 00:00:00+00",
      "7",
      "server",
      "user",
      "u1",
      null,
      null,
      null,
      null,
      null,
      null,
    );
    row.push("o/1", "purchase", 1e15, null);
    expect(parquet.rows).toContainEqual(row);
    const [exposure] = await rowsOf(
      `select phase, bot, attributes->>'$.country' from events where phase = 2`,
    );
    expect(exposure).toEqual(["2", false, "Côte d'Ivoire"]);
  });

  test("are both, compacted and not yet", async () => {
    await keepParquet(...events);
    await keepRaw(...events);
    expect(
      await rowsOf("select environment, count(*)::integer from events group by all order by all"),
    ).toEqual([
      ["e", 6],
      ["f/ü'", 4],
    ]);
  });

  test("are none in an empty archive, and every view is there", async () => {
    for (const view of ["events", "exposures", "outcomes", "population"]) {
      expect(await rowsOf(`select * from ${view}`)).toEqual([]);
    }
  });
});

describe("exposures", () => {
  test("are one of those with the same experiment, phase, kind, unit and variant: the earliest, a bot's if one was", async () => {
    await keepParquet(
      archived(exposed({ timeMs: start + 2, attributes: { country: "US" } }), start + 2),
      archived(exposed({ timeMs: start + 2, attributes: { country: "FR" } }), start + 9),
      archived(exposed({ timeMs: start + 3, bot: true })),
    );
    await keepRaw(
      archived(exposed({ timeMs: start + 2, attributes: { country: "US" } }), start + 2),
      archived(exposed({ phase: 1 })),
      archived(exposed({ phase: 2 })),
      archived(exposed({ experiment: "other" })),
      archived(exposed({ unit: "u2" })),
      archived(exposed({ kind: "company" })),
      archived(exposed({ variant: "one_page" })),
      archived(exposed(), start, "f"),
    );
    const rows = await rowsOf(
      "select environment, experiment, phase, kind, unit, variant, epoch_ms(time)::varchar, bot, attributes from exposures order by all",
    );
    expect(rows).toHaveLength(8);
    expect(rows).toContainEqual([
      "e",
      "checkout",
      null,
      "user",
      "u1",
      "control",
      String(start + 2),
      true,
      '{"country":"US"}',
    ]);
  });
});

test("who names no phase and who names the only one that is named tell of the same exposure", async () => {
  await keepParquet(
    archived(exposed({ phase: 1, timeMs: start + 2 })),
    archived(exposed({ phase: 1, unit: "u2" })),
    archived(exposed({ phase: 2, experiment: "other" })),
  );
  await keepRaw(
    archived(exposed({ timeMs: start + 1 })),
    archived(exposed({ unit: "u2", variant: "one_page" })),
    archived(exposed({ unit: "u3" })),
    archived(exposed({ unit: "u3" }), start, "f"),
  );
  expect(
    await rowsOf(
      "select environment, unit, phase::integer, variant, epoch_ms(first_exposed_at)::varchar from population where experiment = 'checkout' order by all",
    ),
  ).toEqual([
    ["e", "u1", 1, "control", String(start + 1)],
    ["e", "u3", 1, "control", String(start)],
    ["f", "u3", null, "control", String(start)],
  ]);
});

describe("outcomes", () => {
  test("are one of those with the same kind, unit and id: the one received first, whenever it happened", async () => {
    const id = "order-1";
    await keepParquet(
      archived(bought(start, 5, { id }), start + 20),
      archived(bought(start + 9, 2, { id }), start + 10),
    );
    await keepRaw(
      archived(bought(start, 7, { id }), start + 30),
      archived(bought(start, undefined, { id, unit: "u2" })),
      archived(bought(start, 3, { id, kind: "company" })),
      archived(bought(start, 4, { id: "order-2" })),
    );
    expect(await rowsOf("select kind, unit, id, value from outcomes order by all")).toEqual([
      ["company", "u1", id, 3],
      ["user", "u1", id, 2],
      ["user", "u1", "order-2", 4],
      ["user", "u2", id, 1],
    ]);
  });
});

describe("population", () => {
  test("are the units of one variant that are no bots, since their first exposure", async () => {
    await keepParquet(
      archived(exposed({ unit: "counted", timeMs: start + 9 })),
      archived(exposed({ unit: "counted", timeMs: start + 4, attributes: { country: "US" } })),
      archived(exposed({ unit: "quarantined" })),
      archived(exposed({ unit: "quarantined", variant: "one_page", timeMs: start + hour })),
      archived(exposed({ unit: "bot" })),
      archived(exposed({ unit: "bot", timeMs: start + hour, bot: true })),
      archived(exposed({ unit: "two phases", phase: 1 })),
      archived(exposed({ unit: "two phases", phase: 2, variant: "one_page" })),
    );
    expect(
      await rowsOf(
        "select unit, phase::integer, variant, epoch_ms(first_exposed_at)::varchar, attributes from population order by all",
      ),
    ).toEqual([
      ["counted", null, "control", String(start + 4), '{"country":"US"}'],
      ["two phases", 1, "control", String(start), null],
      ["two phases", 2, "one_page", String(start), null],
    ]);
  });
});

test.each([
  ["selec 1", 'Parser Error: syntax error at or near "selec"'],
  [
    "select * from exposure",
    'Catalog Error: Table with name exposure does not exist! Did you mean "exposures"?',
  ],
  ["select 'x'::integer", "Conversion Error: Could not convert string 'x' to INT32"],
])("a query that is wrong is refused in one line: %s", async (sql, message) => {
  const refusal = await runQuery(mirror, sql).catch((error: unknown) => error);
  expect(refusal).toEqual(new UsageError(message));
});

describe("docs/archive.md", () => {
  const sqlBlocks = async () => {
    const text = await readFile("docs/archive.md", "utf8");
    return [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = ""]) => sql);
  };

  test("has the views as they are", async () => {
    expect(await sqlBlocks()).toContain(await readFile("scripts/query/views.sql", "utf8"));
  });

  test("defines events of a bucket with the rows that they have here", async () => {
    await keepParquet(archived(exposed({ phase: 2, attributes: { country: "US" } })));
    await keepRaw(
      archived(exposed({ bot: true, attributes: { a: [1, null] } })),
      archived(bought(start + 1, 2.5, { id: "o1", properties: { sku: "汉" } })),
    );
    const view = (await sqlBlocks()).find((sql) => sql.startsWith("create view events"));
    const here = view?.replaceAll("r2://edgewise-archive", folder).replace(";", "") ?? "";
    const rows = "select * from events order by all";
    const bucket = await DuckDBInstance.create();
    const connection = await bucket.connect();
    await connection.run("set TimeZone = 'UTC'");
    await connection.run(here);
    const result = await connection.runAndReadAll(
      `select environment, date, hour, shard, type, time, received_at, config_version, source, kind, unit,
        experiment, phase, variant, sdk, bot, attributes, id, name, value, properties from events order by all`,
    );
    expect(result.getRowsJson()).toEqual(await rowsOf(rows));
  });
});
