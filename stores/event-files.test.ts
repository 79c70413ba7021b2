import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import type { ArchivedEvent } from "../contracts/archived-event.ts";
import { bought, exposed, start } from "../test/checkout-events.ts";
import { eventFiles } from "./event-files.ts";
import type { Bounds, EventFile } from "./event-files.ts";

function archived(event: object, environment = "e"): ArchivedEvent {
  return { ...event, environment, version: 7, receivedAtMs: start + 5 } as ArchivedEvent;
}

function filesOf(events: ArchivedEvent[], bounds?: Bounds): EventFile[] {
  const files = eventFiles(bounds);
  const complete = events.flatMap((event) => files.add(event, JSON.stringify(event).length));
  return [...complete, ...files.finish()];
}

const read = ({ bytes }: EventFile) => parquetReadObjects({ file: bytes.buffer });

test("an exposure and an outcome are rows of one schema, absent fields null", async () => {
  const exposure = exposed({
    phase: 2,
    sdk: "web/1",
    bot: true,
    attributes: { country: "US", ids: [1, null] },
  });
  const outcome = { ...bought(start + 1, 12.5, { properties: {} }), id: "order-1" };
  const [file, ...more] = filesOf([archived(exposure), archived(outcome), archived(exposed())]);
  if (file === undefined) throw new Error("no file");
  expect(more).toEqual([]);
  expect(file).toMatchObject({ environment: "e", part: 0, rows: 3 });
  const common = {
    time: new Date(start),
    received_at: new Date(start + 5),
    config_version: 7n,
    source: "server",
    kind: "user",
    unit: "u1",
  };
  const noOutcome = { id: null, name: null, value: null, properties: null };
  const noExposure = {
    experiment: null,
    phase: null,
    variant: null,
    sdk: null,
    bot: null,
    attributes: null,
  };
  const named = { type: "exposure", experiment: "checkout", variant: "control" };
  expect(await read(file)).toEqual([
    {
      ...common,
      ...noOutcome,
      ...named,
      phase: 2n,
      sdk: "web/1",
      bot: true,
      attributes: '{"country":"US","ids":[1,null]}',
    },
    {
      ...common,
      ...noExposure,
      type: "outcome",
      time: new Date(start + 1),
      id: "order-1",
      name: "purchase",
      value: 12.5,
      properties: "{}",
    },
    { ...common, ...noOutcome, ...named, phase: null, sdk: null, bot: false, attributes: null },
  ]);
  expect(parquetMetadata(file.bytes.buffer).key_value_metadata).toEqual([
    { key: "edgewise.schema", value: "1" },
  ]);
});

describe("within bounds of memory", () => {
  const bounds = { waitingLength: 20_000, encodedBytes: 30_000 };
  const noise = (i: number) => `${Math.imul(i, 0x9e3779b1) >>> 0}${Math.imul(i, 0x85ebca6b) >>> 0}`;
  const many = (environments: number, length = 10_000) =>
    Array.from({ length }, (_, i) =>
      archived(exposed({ unit: noise(i), timeMs: start + i }), `e${i % environments}`),
    );

  async function checkRows(files: EventFile[], events: ArchivedEvent[]) {
    const units = new Map<string, string[]>();
    for (const file of files) {
      const rows = await read(file);
      expect(rows).toHaveLength(file.rows);
      const known = units.get(file.environment) ?? [];
      units.set(file.environment, [...known, ...rows.map(({ unit }) => String(unit))]);
    }
    const expected = Map.groupBy(events, ({ environment }) => environment);
    expect(units).toEqual(
      new Map(
        [...expected].map(([environment, some]) => [environment, some.map(({ unit }) => unit)]),
      ),
    );
  }

  test("one environment becomes parts of about the bound, in order, of row groups of about theirs", async () => {
    const events = many(1);
    const files = filesOf(events, bounds);
    expect(files.length).toBeGreaterThan(3);
    expect(files.map(({ part }) => part)).toEqual(files.map((_, i) => i));
    for (const file of files.slice(0, -1)) expect(file.bytes.length).toBeLessThan(2 * 30_000);
    const [length = 0] = events.map((event) => JSON.stringify(event).length);
    const groups = files.flatMap((file) => parquetMetadata(file.bytes.buffer).row_groups);
    for (const { num_rows } of groups) expect(Number(num_rows)).toBeLessThan(20_000 / length + 2);
    await checkRows(files, events);
  });

  test("many environments take no more, and each event is in a file of its own", async () => {
    const events = many(20, 2_000);
    await checkRows(filesOf(events, bounds), events);
  });

  test("a small environment is not cut up because of a large one", async () => {
    const events = many(1);
    for (let i = 0; i < events.length; i += 200) {
      events.splice(i, 0, archived(exposed({ unit: noise(i) }), "small"));
    }
    const small = filesOf(events, bounds).filter(({ environment }) => environment === "small");
    expect(small.map(({ part }) => part)).toEqual([0]);
  });

  test("the same events make the same bytes", () => {
    expect(filesOf(many(3), bounds)).toEqual(filesOf(many(3), bounds));
  });

  test("no events make no file", () => {
    expect(filesOf([])).toEqual([]);
  });
});
