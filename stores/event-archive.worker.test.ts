import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { readArchivedLine } from "../contracts/archived-event.ts";
import { bought, exposed, start } from "../test/checkout-events.ts";
import { messageTexts } from "../test/message-texts.ts";
import { eventArchive } from "./event-archive.ts";

const nowMs = Date.UTC(2026, 0, 5, 7, 59, 59);
const uuidV7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

test("a batch is one gzip NDJSON object, partitioned by processing time and shard, a line a message", async () => {
  const events = [exposed({ attributes: { country: "Côte d'Ivoire" } }), bought(start, 2.5)];
  const [first = "", second = ""] = ["e1", "e2"].flatMap((environment) =>
    messageTexts({ environment, version: 7, receivedAtMs: start + 5, events }),
  );
  await eventArchive(env.ARCHIVE).keep([first, second], 3, nowMs);

  const { objects } = await env.ARCHIVE.list({ prefix: "raw/" });
  expect(objects.map(({ key }) => key)).toEqual([
    expect.stringMatching(
      new RegExp(`^raw/v1/date=2026-01-05/hour=07/shard=3/${uuidV7}\\.ndjson\\.gz$`),
    ),
  ]);
  const object = await env.ARCHIVE.get(objects[0]?.key ?? "");
  const text = await new Response(object?.body.pipeThrough(new DecompressionStream("gzip"))).text();
  expect(text).toBe(`${first}\n${second}\n`);
  expect(text.trimEnd().split("\n").flatMap(readArchivedLine)).toEqual(
    ["e1", "e2"].flatMap((environment) =>
      events.map((event) => ({ environment, version: 7, receivedAtMs: start + 5, ...event })),
    ),
  );
});

test("a batch without messages leaves no object", async () => {
  await eventArchive(env.ARCHIVE).keep([], 9, nowMs);
  const { objects } = await env.ARCHIVE.list({ prefix: "raw/" });
  expect(objects.filter(({ key }) => key.includes("shard=9"))).toEqual([]);
});
