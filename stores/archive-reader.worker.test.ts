import { env } from "cloudflare:workers";
import type { R2Bucket } from "@cloudflare/workers-types";
import { beforeEach, describe, expect, test } from "vitest";
import type { ArchivedEvent } from "../contracts/archived-event.ts";
import type { CountedEvent } from "../counting/types.ts";
import { bought, exposed, hour, minute, start } from "../test/checkout-events.ts";
import { messageTexts } from "../test/message-texts.ts";
import { compact } from "../workers/analysis-cron/compact.ts";
import { planCompactions } from "../workers/analysis-cron/plan-compactions.ts";
import { archiveReader, rewound } from "./archive-reader.ts";
import { compactionStore } from "./compaction-store.ts";
import { eventArchive } from "./event-archive.ts";
import { rawArchive } from "./raw-archive.ts";

const keep = (atMs: number, events: CountedEvent[], shard = 0, environment = "e") =>
  eventArchive(env.ARCHIVE).keep(
    messageTexts({ environment, version: 7, receivedAtMs: atMs, events }),
    shard,
    atMs,
  );

async function compactAll(nowMs: number) {
  const raw = rawArchive(env.ARCHIVE);
  const compactions = compactionStore(env.ARCHIVE);
  for (const each of await planCompactions(raw, compactions, nowMs)) {
    await compact({ raw, compactions }, each);
  }
}

/** Everything after the cursor, and the last cursor that came. */
async function readAll(cursor = "", nowMs = start + 10 * hour, bucket: R2Bucket = env.ARCHIVE) {
  const events: ArchivedEvent[] = [];
  const cursors: string[] = [];
  for await (const page of archiveReader(bucket).read(0, cursor, nowMs)) {
    events.push(...page.events);
    if (page.cursor !== null) cursors.push(page.cursor);
  }
  return { events, cursors, units: events.map(({ unit }) => unit) };
}

beforeEach(async () => {
  const { objects } = await env.ARCHIVE.list();
  if (objects.length > 0) await env.ARCHIVE.delete(objects.map(({ key }) => key));
});

describe("the events of a shard", () => {
  test("come hour by hour, as they were archived, from raw objects and from Parquet", async () => {
    const rich = [
      exposed({
        unit: "a",
        phase: 2,
        bot: true,
        attributes: { country: "Côte d'Ivoire", n: [1, null] },
      }),
      bought(start + 1, -2.25, { unit: "b", properties: { sku: "x" } }),
      bought(start + 2, undefined, { unit: "c" }),
    ];
    await keep(start, rich, 0, "f/ü");
    await keep(start + 5 * minute, [exposed({ unit: "other" })], 1);
    await keep(start + 3 * hour, [exposed({ unit: "d" })]);
    const raw = await readAll();
    expect(raw.units).toEqual(["a", "b", "c", "d"]);
    expect(raw.events.slice(0, 3)).toEqual(
      rich.map((event) => ({ environment: "f/ü", version: 7, receivedAtMs: start, ...event })),
    );
    await compactAll(start + 2 * hour);
    expect((await env.ARCHIVE.list({ prefix: "raw/v1/" })).objects).toHaveLength(1);
    expect((await readAll()).events).toEqual(raw.events);
  });

  test("come after a cursor alone, and the hour under way again as it grows", async () => {
    await keep(start, [exposed({ unit: "a" })]);
    await keep(start + minute, [exposed({ unit: "b" })]);
    const { cursors } = await readAll("", start + 30 * minute);
    expect(cursors).toHaveLength(2);
    expect((await readAll(cursors[0])).units).toEqual(["b"]);
    await keep(start + 40 * minute, [exposed({ unit: "c" })]);
    expect((await readAll(cursors[1])).units).toEqual(["c"]);
    await keep(start + 2 * hour, [exposed({ unit: "d" })]);
    const later = await readAll(cursors[1]);
    expect(later.units).toEqual(["c", "d"]);
    expect((await readAll(later.cursors.at(-1))).units).toEqual([]);
  });

  test("come again rather than not when their hour was compacted behind the cursor", async () => {
    await keep(start, [exposed({ unit: "a" })]);
    await keep(start + minute, [exposed({ unit: "b" })]);
    const { cursors } = await readAll();
    await compactAll(start + 2 * hour);
    expect((await readAll(cursors[0])).units).toEqual(["a", "b"]);
    expect((await readAll(cursors[1])).units).toEqual([]);
  });

  test("are refused, not left out, when an object goes while it is to be read", async () => {
    await keep(start, [exposed({ unit: "a" })]);
    const goes = Object.create(env.ARCHIVE, {
      list: { value: (options: R2ListOptions) => env.ARCHIVE.list(options) },
      get: {
        value: async (key: string) => {
          if (key.startsWith("raw/")) await compactAll(start + 2 * hour);
          return env.ARCHIVE.get(key);
        },
      },
    }) as R2Bucket;
    await expect(readAll("", start + 10 * hour, goes)).rejects.toThrow();
    expect((await readAll()).units).toEqual(["a"]);
  });

  test("none when the archive is empty", async () => {
    expect((await readAll()).units).toEqual([]);
  });
});

test("a cursor is set back by time", async () => {
  await keep(start + 20 * minute, [exposed({ unit: "a" })]);
  await keep(start + 40 * minute, [exposed({ unit: "b" })]);
  await keep(start + 50 * minute, [exposed({ unit: "c" })]);
  const { cursors } = await readAll("", start + 59 * minute);
  expect((await readAll(rewound(cursors[2] ?? "", 15 * minute))).units).toEqual(["b", "c"]);
  const whole = (await readAll("", start + 3 * hour)).cursors.at(-1) ?? "";
  expect((await readAll(rewound(whole, 15 * minute))).units).toEqual([]);
  expect((await readAll(rewound(whole, 3 * hour))).units).toEqual(["a", "b", "c"]);
  expect(rewound("", 15 * minute)).toBe("");
});
