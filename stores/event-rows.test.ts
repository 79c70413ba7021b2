import { expect, test } from "vitest";
import { archiveKeys } from "../contracts/archive-keys.ts";
import type { ArchivedEvent } from "../contracts/archived-event.ts";
import { bought, exposed, start } from "../test/checkout-events.ts";
import { eventFiles } from "./event-files.ts";
import { eventRows } from "./event-rows.ts";

const hour = { date: "2026-01-05", hour: "00", shard: 0 };

test("rows are the events that they were made of, text and numbers to the last bit", async () => {
  const texts = ["\ufeffu", "u", "\ufeff", "\u0000", "汉字👩‍👩‍👧", '"\\\n', " "];
  const numbers = [0, -0.1, 0.1 + 0.2, 5e-324, 1e15, -1e15];
  const events = [
    ...texts.map((unit) => exposed({ unit, attributes: { [unit]: [unit] } })),
    ...texts.map((id) => bought(start, 1, { id, unit: id, properties: { [id]: null } })),
    ...numbers.map((value) => bought(start, value)),
    exposed({ phase: 2, bot: true, attributes: {} }),
    exposed({ phase: 2 ** 53 - 1 }),
    bought(Date.UTC(1, 0)),
    bought(Date.UTC(9999, 11, 31)),
  ].map((event, i): ArchivedEvent => ({
    environment: "f/ü",
    version: i,
    receivedAtMs: start + i,
    ...event,
  }));
  const files = eventFiles({ waitingLength: 1_000, encodedBytes: 1_000_000 });
  for (const event of events) files.add(event, 200);
  const [file] = files.finish();
  if (file === undefined) throw new Error("no file");
  const key = archiveKeys.events(file.environment, hour, "g", file.part);
  const read: ArchivedEvent[] = [];
  for await (const rows of eventRows(key, file.bytes.buffer)) read.push(...rows);
  expect(read).toEqual(events);
});
