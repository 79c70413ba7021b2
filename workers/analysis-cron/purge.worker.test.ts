import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { PurgeMessage, PurgeNoticesMessage } from "../../contracts/analysis-message.ts";
import { archiveRetention } from "../../stores/archive-retention.ts";
import { planPurges } from "./purge.ts";

const nowMs = Date.UTC(2026, 2, 10, 5, 0, 20);
const kept = { events: 0, deadLetters: 0, notices: 0 };

const objects = (days: string[]) =>
  days.flatMap((date) => [
    `raw/v1/date=${date}/hour=23/shard=0/a.ndjson.gz`,
    `events/v1/environment=e1/date=${date}/hour=00/shard=3/a-0.parquet`,
    `events/v1/environment=e2/date=${date}/hour=23/shard=0/a-0.parquet`,
    `compaction/v1/date=${date}/hour=00/shard=3/plan.json`,
    `dead-letter/v1/date=${date}/a.json`,
    `replayed/v1/date=${date}/a.json`,
  ]);

const keys = async () => (await env.ARCHIVE.list()).objects.map(({ key }) => key).toSorted();

async function purge(messages: (PurgeMessage | PurgeNoticesMessage)[]): Promise<void> {
  const archive = archiveRetention(env.ARCHIVE);
  for (const message of messages) {
    if (message.task !== "purge") throw new Error("that is none of the archive");
    expect(await archive.removeBefore(message.prefix, message.before)).toBe(false);
  }
}

beforeEach(async () => {
  await env.ARCHIVE.delete(await keys());
  for (const key of objects(["2025-12-31", "2026-03-07", "2026-03-08", "2026-03-10"])) {
    await env.ARCHIVE.put(key, "x");
  }
});

const plan = (retention: typeof kept, atMs = nowMs) =>
  planPurges(archiveRetention(env.ARCHIVE), retention, atMs);

describe("retention", () => {
  test("keeps everything for good unless it is told otherwise", async () => {
    expect(await plan(kept)).toEqual([]);
    expect(
      await planPurges(
        archiveRetention(env.ARCHIVE),
        { events: undefined, deadLetters: undefined, notices: undefined },
        nowMs,
      ),
    ).toEqual([]);
  });

  test("of the archive removes events of all environments, raw or compacted, of days before, and no dead letters", async () => {
    await purge(await plan({ ...kept, events: 2 }));
    const letters = (await keys()).filter((key) => /^(dead|replayed)/.test(key));
    expect(letters).toHaveLength(8);
    expect((await keys()).filter((key) => !letters.includes(key))).toEqual(
      objects(["2026-03-08", "2026-03-10"])
        .filter((key) => !/^(dead|replayed)/.test(key))
        .toSorted(),
    );
  });

  test("of dead letters removes those, replayed or not, and nothing else", async () => {
    const before = await keys();
    await purge(await plan({ ...kept, deadLetters: 3 }));
    expect(await keys()).toEqual(before.filter((key) => !/^(dead|replayed).*2025-12-31/.test(key)));
  });

  test("of notices asks for those of before so many days, and for nothing of the archive", async () => {
    const before = new Date(nowMs - 90 * 86_400_000).toISOString();
    expect(await plan({ ...kept, notices: 90 })).toEqual([{ v: 1, task: "purge-notices", before }]);
  });

  test("is planned once an hour", async () => {
    expect(await plan({ ...kept, deadLetters: 3 }, nowMs + 59_000)).toEqual([]);
    expect(await plan({ ...kept, deadLetters: 3 }, nowMs + 3_600_000)).toHaveLength(2);
  });

  test.each([-1, 0.5, "30", Number.NaN, null])("refuses %s days", async (days) => {
    const archive = archiveRetention(env.ARCHIVE);
    await expect(planPurges(archive, { ...kept, events: days }, nowMs)).rejects.toThrow(
      /ARCHIVE_RETENTION_DAYS must be a whole number of days/,
    );
  });

  test("of more than one step's worth goes on with the next", async () => {
    const archive = archiveRetention(env.ARCHIVE, { pages: 2, keysAPage: 1 });
    expect(await archive.eventPrefixes()).toHaveLength(2);
    expect(await archive.removeBefore("raw/v1/", "2026-03-09")).toBe(true);
    expect((await keys()).filter((key) => key.startsWith("raw/"))).toHaveLength(2);
    expect(await archive.removeBefore("raw/v1/", "2026-03-09")).toBe(false);
    expect((await keys()).filter((key) => key.startsWith("raw/"))).toHaveLength(1);
  });
});
