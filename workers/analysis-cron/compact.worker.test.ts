import { env } from "cloudflare:workers";
import type { R2Bucket, R2ListOptions } from "@cloudflare/workers-types";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { beforeEach, describe, expect, test } from "vitest";
import type { ArchivedEvent } from "../../contracts/archived-event.ts";
import type { CountedEvent } from "../../counting/types.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { eventArchive } from "../../stores/event-archive.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { bought, exposed, hour, minute, start } from "../../test/checkout-events.ts";
import { messageTexts } from "../../test/message-texts.ts";
import type { Sent } from "../../test/message-texts.ts";
import { compact } from "./compact.ts";
import { planCompactions } from "./plan-compactions.ts";

const partition = "date=2026-01-05/hour=00/shard=2/";
/** The hour from `start` on is over. */
const overMs = start + hour + 6 * minute;

const message = (events: CountedEvent[], environment = "e"): Sent => ({
  environment,
  version: 7,
  receivedAtMs: start + 5,
  events,
});

const keep = (messages: Sent[], atMs = start) =>
  eventArchive(env.ARCHIVE).keep(messages.flatMap(messageTexts), 2, atMs);

const archiveOf = (bucket: R2Bucket) => ({
  raw: rawArchive(bucket),
  compactions: compactionStore(bucket),
});

/** What one tick of the cron and the consumers after it do. */
async function compactAll(atMs = overMs, bucket: R2Bucket = env.ARCHIVE): Promise<number> {
  const { raw, compactions } = archiveOf(bucket);
  const messages = await planCompactions(raw, compactions, atMs);
  for (const each of messages) await compact({ raw, compactions }, each);
  return messages.length;
}

async function keys(prefix: string): Promise<string[]> {
  return (await env.ARCHIVE.list({ prefix })).objects.map(({ key }) => key);
}

async function bytesOf(key: string): Promise<ArrayBuffer> {
  const object = await env.ARCHIVE.get(key);
  if (object === null) throw new Error(`no ${key}`);
  return object.arrayBuffer();
}

interface Row {
  time: Date;
  received_at: Date;
  config_version: bigint;
  [column: string]: unknown;
}

/** Every row of every Parquet file as the event that it was made of. */
async function compacted(): Promise<ArchivedEvent[]> {
  const events: ArchivedEvent[] = [];
  for (const key of await keys("events/")) {
    const environment = decodeURIComponent(/environment=([^/]*)\//.exec(key)?.[1] ?? "");
    const rows = await parquetReadObjects({ file: await bytesOf(key) });
    for (const { time, received_at, config_version, ...rest } of rows as Row[]) {
      const present = Object.entries(rest).filter(([, value]) => value !== null && value !== false);
      const event = Object.fromEntries(present);
      for (const json of ["attributes", "properties"]) {
        if (json in event) event[json] = JSON.parse(String(event[json])) as unknown;
      }
      events.push({
        environment,
        version: Number(config_version),
        receivedAtMs: received_at.getTime(),
        timeMs: time.getTime(),
        ...event,
        ...("phase" in event && { phase: Number(event["phase"]) }),
      } as ArchivedEvent);
    }
  }
  return events;
}

const archived = (...messages: Sent[]) =>
  messages.flatMap(({ environment, version, receivedAtMs, events }) =>
    events.map((event) => ({ environment, version, receivedAtMs, ...event })),
  );

/** As text, with fields and events in one order. */
const sorted = (events: object[]) =>
  events
    .map((event) => {
      const fields = Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify(Object.fromEntries(fields));
    })
    .toSorted();

/** A hash of every object's content, by key. */
async function contents(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of await keys("")) {
    const hash = await crypto.subtle.digest("SHA-256", await bytesOf(key));
    found.set(key, [...new Uint8Array(hash)].join(" "));
  }
  return found;
}

/** The bucket until it has done so many writes and deletes; then it fails, as for a process that is killed. */
function killedAfter(operations: number): R2Bucket {
  let left = operations;
  const counted =
    <Args extends unknown[], R>(operate: (...args: Args) => Promise<R>) =>
    (...args: Args): Promise<R> =>
      left-- > 0 ? operate(...args) : Promise.reject(new Error("killed"));
  const bucket = env.ARCHIVE;
  return {
    head: (key: string) => bucket.head(key),
    get: (key: string) => bucket.get(key),
    list: (options: R2ListOptions) => bucket.list(options),
    put: counted((...args: Parameters<R2Bucket["put"]>) => bucket.put(...args)),
    delete: counted((each: string | string[]) => bucket.delete(each)),
  } as unknown as R2Bucket;
}

beforeEach(async () => {
  await env.ARCHIVE.delete((await env.ARCHIVE.list()).objects.map(({ key }) => key));
});

describe("an hour that is over", () => {
  test("becomes one file an environment and shard, with every event once, and its raw objects go", async () => {
    const first = message([exposed({ phase: 1 }), bought(start + 1, 2.5)]);
    const second = message([exposed({ unit: "u2", bot: true })]);
    const other = message([exposed()], "f/ü");
    await keep([first, other]);
    await keep([second], start + 59 * minute);
    expect(await compactAll()).toBe(1);
    expect(await keys("raw/")).toEqual([]);
    expect(await keys("events/")).toEqual([
      expect.stringMatching(
        new RegExp(`^events/v1/environment=e/${partition}[0-9a-f-]+-0\\.parquet$`),
      ),
      expect.stringMatching(
        new RegExp(`^events/v1/environment=f%2F%C3%BC/${partition}[0-9a-f-]+-0\\.parquet$`),
      ),
    ]);
    expect(sorted(await compacted())).toEqual(sorted(archived(first, second, other)));
    const isManifest = (key: string) => !key.endsWith("plan.json");
    const manifest = (await keys(`compaction/v1/${partition}`)).find(isManifest) ?? "";
    const files = (await env.ARCHIVE.list({ prefix: "events/" })).objects;
    expect(JSON.parse(new TextDecoder().decode(await bytesOf(manifest)))).toEqual({
      v: 1,
      objects: 2,
      rows: 4,
      files: files.map(({ key, size }, i) => ({ key, rows: [3, 1][i], bytes: size })),
    });
  });

  test("keeps text, numbers and what is absent as they were", async () => {
    const texts = [
      "",
      " ",
      "\u0000",
      "Côte d'Ivoire",
      "汉字",
      "👩‍👩‍👧",
      "x\ufeff",
      '"\\\n',
      "a".repeat(256),
    ];
    const numbers = [0, -0.1, 0.1 + 0.2, 5e-324, 1e15, -1e15, 1e15 - 1, 1 / 3];
    const batch = message([
      ...texts.map((unit, i) =>
        exposed({ unit: unit || "u", variant: texts[i] ?? "", attributes: { [unit]: unit } }),
      ),
      ...numbers.map((value) =>
        bought(start, value, { properties: { value, deep: [[{ value }]] } }),
      ),
      exposed({ phase: 2 ** 53 - 1, attributes: { null: null, list: [], no: false } }),
      bought(start),
      bought(0, 1),
      bought(Date.UTC(1, 0), 1),
      bought(Date.UTC(9999, 11, 31), 1),
    ]);
    await keep([batch]);
    await compactAll();
    expect(sorted(await compacted())).toEqual(sorted(archived(batch)));
  });

  test(
    "of a hundred thousand events keeps each, in row groups of bounded size",
    {
      timeout: 60_000,
    },
    async () => {
      const batches = Array.from({ length: 20 }, (_, i) =>
        message(
          Array.from({ length: 5_000 }, (__, j) =>
            j % 2 === 0
              ? exposed({
                  unit: `u${i}-${j}`,
                  attributes: {
                    country: "US",
                    noise: `${Math.imul(i * 5_000 + j, 0x9e3779b1) >>> 0}`,
                  },
                })
              : bought(start + j, j / 4, { id: `o${i}-${j}`, unit: `u${i}-${j - 1}` }),
          ),
          `e${i % 3}`,
        ),
      );
      for (const batch of batches) await keep([batch]);
      expect(await compactAll()).toBe(1);
      for (const key of await keys("events/")) {
        const { row_groups } = parquetMetadata(await bytesOf(key));
        // 8,000,000 characters wait at most, and an event has more than 150.
        for (const { num_rows } of row_groups) expect(Number(num_rows)).toBeLessThan(53_000);
      }
      const expected = archived(...batches);
      const rows = await compacted();
      expect(rows).toHaveLength(100_000);
      expect(sorted(rows)).toEqual(sorted(expected));
    },
  );

  test("without raw objects is nothing to do, and neither is one that is not over", async () => {
    expect(await compactAll()).toBe(0);
    await keep([message([exposed()])]);
    expect(await compactAll(start + hour + 4 * minute)).toBe(0);
    expect(await keys("")).toHaveLength(1);
  });

  test("of more raw objects than are listed at once is planned in several ticks", async () => {
    const units = ["u1", "u2", "u3", "u4", "u5", "u6", "u7"];
    for (const unit of units) await keep([message([exposed({ unit })])]);
    const { compactions } = archiveOf(env.ARCHIVE);
    const raw = rawArchive(env.ARCHIVE, { pages: 2, keysAPage: 2 });
    for (const planned of [1, 1]) {
      const messages = await planCompactions(raw, compactions, overMs);
      expect(messages).toHaveLength(planned);
      for (const each of messages) await compact({ raw, compactions }, each);
    }
    expect(await planCompactions(raw, compactions, overMs)).toEqual([]);
    expect((await compacted()).map(({ unit }) => unit).toSorted()).toEqual(units);
  });

  test("leaves what is no raw object alone", async () => {
    await env.ARCHIVE.put("raw/v1/date=2026-01-05/hour=00/shard=2/notes.txt", "mine");
    expect(await compactAll()).toBe(0);
    expect(await keys("")).toHaveLength(1);
  });
});

describe("whatever is done twice or left half done ends in the same objects", () => {
  const batches = [
    message([exposed(), bought(start + 1, 1)]),
    message([exposed({ unit: "u2" })], "f"),
    message([exposed({ unit: "u3" })]),
  ];
  const events = sorted(archived(...batches));

  test("killed after any write or delete, and done again", async () => {
    for (const batch of batches) await keep([batch]);
    const raw = new Map<string, ArrayBuffer>();
    for (const key of await keys("raw/")) raw.set(key, await bytesOf(key));
    await compactAll();
    const finished = await contents();
    expect(sorted(await compacted())).toEqual(events);

    // The plan, two files, what an earlier attempt may have left, the manifest, the raw objects.
    for (let operations = 0; operations < 6; operations++) {
      await env.ARCHIVE.delete(await keys(""));
      for (const [key, bytes] of raw) await env.ARCHIVE.put(key, bytes);
      await expect(compactAll(overMs, killedAfter(operations))).rejects.toThrow("killed");
      expect(await keys("raw/")).toEqual([...raw.keys()]);
      await compactAll(overMs + 15 * minute);
      const plan = `compaction/v1/${partition}plan.json`;
      const again = await contents();
      // It says when it was queued last.
      expect(again.delete(plan)).toBe(true);
      expect(again).toEqual(new Map([...finished].filter(([key]) => key !== plan)));
    }
    await compactAll(overMs, killedAfter(6));
  });

  test("done again by a message that comes twice", async () => {
    for (const batch of batches) await keep([batch]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    const [work] = await planCompactions(raw, compactions, overMs);
    if (work === undefined) throw new Error("nothing planned");
    await compact({ raw, compactions }, work);
    const before = await contents();
    await compact({ raw, compactions }, work);
    expect(await contents()).toEqual(before);
  });

  test("planned and done by several at once", async () => {
    for (const batch of batches) await keep([batch]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    const planned = await Promise.all(
      [0, 1, 2, 3].map(() => planCompactions(raw, compactions, overMs)),
    );
    const [work, ...more] = planned.flat();
    if (work === undefined) throw new Error("nothing planned");
    expect(more).toEqual([]);
    await Promise.all([0, 1, 2, 3].map(() => compact({ raw, compactions }, work)));
    expect(await keys("raw/")).toEqual([]);
    expect(sorted(await compacted())).toEqual(events);
  });

  test("a group whose raw objects go while it is read, because another has finished it", async () => {
    for (const batch of batches) await keep([batch]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    const [work] = await planCompactions(raw, compactions, overMs);
    if (work === undefined) throw new Error("nothing planned");
    const overtaken = {
      ...raw,
      async *lines(...of: Parameters<typeof raw.lines>) {
        await compact({ raw, compactions }, work);
        yield* raw.lines(...of);
      },
    };
    await compact({ raw: overtaken, compactions }, work);
    expect(sorted(await compacted())).toEqual(events);
  });

  test("a batch that comes after its hour was compacted makes a file of its own", async () => {
    for (const batch of batches) await keep([batch]);
    await compactAll();
    const before = await contents();
    const late = message([exposed({ unit: "u4" })]);
    await keep([late], start + 1);
    expect(await compactAll(overMs + minute)).toBe(1);
    expect(await keys("events/v1/environment=e/")).toHaveLength(2);
    expect(sorted(await compacted())).toEqual([...events, ...sorted(archived(late))].toSorted());
    for (const [key, hash] of before) {
      if (key.startsWith("events/")) expect((await contents()).get(key)).toBe(hash);
    }
  });

  test("parts that an earlier attempt cut differently are removed", async () => {
    for (const batch of batches) await keep([batch]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    const [work] = await planCompactions(raw, compactions, overMs);
    if (work === undefined) throw new Error("nothing planned");
    const left = { environment: "e", part: 1, rows: 1, bytes: new Uint8Array(8) };
    await compactions.putFile(work, work.group, left);
    await compact({ raw, compactions }, work);
    expect(await keys("events/")).toHaveLength(2);
    expect(sorted(await compacted())).toEqual(events);
  });
});

describe("what cannot be compacted keeps its raw objects, and is tried again", () => {
  const hourOf = { date: "2026-01-05", hour: "00", shard: 2 };
  const key = `raw/v1/${partition}019b8b4e-0000-7000-8000-000000000000.ndjson.gz`;
  const gzip = async (text: string) =>
    new Response(
      new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer();

  test.each([
    ["is not compressed", async () => new TextEncoder().encode("{}\n")],
    ["is cut off", async () => (await gzip("x".repeat(10_000))).slice(0, 20)],
    ["has a line that is no event", () => gzip('{"type":"explosion"}\n')],
    [
      "is not UTF-8",
      async () =>
        new Response(
          new Blob([new Uint8Array([0xff, 10])])
            .stream()
            .pipeThrough(new CompressionStream("gzip")),
        ).arrayBuffer(),
    ],
  ])("an object that %s", async (_, body) => {
    await keep([message([exposed()])]);
    await env.ARCHIVE.put(key, await body());
    await expect(compactAll()).rejects.toThrow();
    expect(await keys("raw/")).toHaveLength(2);
    expect(await keys("events/")).toEqual([]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    expect(await planCompactions(raw, compactions, overMs + 14 * minute)).toEqual([]);
    expect(await planCompactions(raw, compactions, overMs + 15 * minute)).toHaveLength(1);
  });

  test("an object that somebody else removed before it was compacted", async () => {
    await keep([message([exposed()])]);
    await keep([message([bought(start, 1)])]);
    const { raw, compactions } = archiveOf(env.ARCHIVE);
    const [work] = await planCompactions(raw, compactions, overMs);
    if (work === undefined) throw new Error("nothing planned");
    const [, second] = await raw.before("2026-01-05", "01");
    await raw.remove(hourOf, [second?.id ?? ""]);
    await expect(compact({ raw, compactions }, work)).rejects.toThrow(second?.id);
    expect(await keys("raw/")).toHaveLength(1);
  });
});
