import { describe, expect, test } from "vitest";
import type { QueueBacklog } from "../../stores/queue-backlog.ts";
import type { ShardHealth } from "../../stores/shard-health.ts";
import { reportOf } from "./health-report.ts";
import type { Observations } from "./health-report.ts";

const nowMs = Date.UTC(2026, 0, 5, 12);
const shard = (more: Partial<ShardHealth> = {}): ShardHealth => ({
  progress: {
    newestEventMs: nowMs - 2_000,
    newestReceivedMs: nowMs - 1_500,
    foldedAtMs: nowMs - 1_000,
  },
  counts: {},
  tallies: {},
  rebuild: null,
  ...more,
});
const backlog = (oldestAgeMs: number | null, messages = 1): QueueBacklog => ({
  messages,
  bytes: messages * 100,
  oldestAtMs: oldestAgeMs === null ? null : nowMs - oldestAgeMs,
});
const report = (more: Partial<Observations> = {}) =>
  reportOf({
    nowMs,
    backlogs: [backlog(null, 0), backlog(1_000)],
    shards: [shard(), shard()],
    deadLetters: { letters: [], next: null },
    ...more,
  });

test("all is well: newest event, newest fold, backlog of each shard", () => {
  expect(report()).toMatchObject({
    status: "ok",
    asOf: "2026-01-05T12:00:00.000Z",
    alarms: [],
    deadLetters: { count: 0, isMore: false, oldestAgeSeconds: null },
    shards: [
      {
        newestEventAt: "2026-01-05T11:59:58.000Z",
        newestReceivedAt: "2026-01-05T11:59:58.500Z",
        foldedAt: "2026-01-05T11:59:59.000Z",
        backlog: { messages: 0, bytes: 0, oldestAgeSeconds: null },
      },
      { backlog: { messages: 1, bytes: 100, oldestAgeSeconds: 1 } },
    ],
  });
});

describe("an alarm, by name and shard, when", () => {
  test("a message has waited for more than five minutes, and not before", () => {
    const at = (ageMs: number) => report({ backlogs: [backlog(null, 0), backlog(ageMs)] });
    expect(at(300_000).status).toBe("ok");
    expect(at(301_000)).toMatchObject({
      status: "alarm",
      alarms: [{ shard: 1, code: "fold-lag", detail: expect.stringContaining("301 s") as string }],
    });
  });

  test("a database cannot be read", () => {
    expect(report({ shards: [null, shard()] })).toMatchObject({
      status: "alarm",
      alarms: [{ shard: 0, code: "shard-unavailable" }],
      shards: [{ available: false, newestEventAt: null }, { available: true }],
    });
  });

  test("a rebuild found differences and could not take over, and not when it could or found none", () => {
    const at = (difference: object) => {
      const rebuild = {
        id: "1",
        reason: "daily",
        status: "done",
        requestedAtMs: nowMs,
        steppedAtMs: nowMs,
        events: 1,
        difference: JSON.stringify({ experiments: [], swapped: false, ...difference }),
      };
      return report({ shards: [shard({ rebuild }), shard()] });
    };
    const incomplete = ["checkout", "search"].map((experiment) => ({
      environment: "e",
      experiment,
    }));
    expect(at({ rows: 0, incomplete }).alarms).toEqual([]);
    expect(at({ rows: 3, incomplete: [], swapped: true }).alarms).toEqual([]);
    expect(at({ rows: 3, incomplete }).alarms).toEqual([
      {
        shard: 0,
        code: "rebuild-blocked",
        detail: expect.stringContaining("checkout in environment e and 1 more") as string,
      },
    ]);
  });

  test("a queue does not tell its backlog", () => {
    expect(report({ backlogs: [null, backlog(0)] }).alarms).toMatchObject([
      { shard: 0, code: "backlog-unknown" },
    ]);
  });
});

test("rejections by code, refused and dropped events are added up over the shards", () => {
  const counts = { "rejected:invalid-event": 2, "folded-events": 10, "refused-events": 1 };
  const more = { "rejected:invalid-event": 3, "rejected:unknown-variant": 1 };
  const both = [shard({ counts }), shard({ counts: { ...more, "dropped-exposures": 4 } })];
  expect(report({ shards: both }).intake).toEqual({
    hours: 24,
    foldedEvents: 10,
    rejected: { "invalid-event": 5, "unknown-variant": 1 },
    refusedEvents: 1,
    droppedExposures: 4,
  });
});

test("quarantined units, bots and late events by shard; how old the oldest dead letter is", () => {
  const tallies = { quarantined: 3, bot: 1, hot: 2, late: 5, "outside-phase": 7 };
  const letter = {
    id: "1",
    reason: "not JSON",
    queue: "edgewise-events-0",
    environment: null,
    putAsideAtMs: nowMs - 90_000,
    bytes: 10,
  };
  expect(
    report({
      shards: [shard({ tallies }), shard()],
      deadLetters: { letters: [letter], next: "c" },
    }),
  ).toMatchObject({
    status: "ok",
    deadLetters: { count: 1, isMore: true, oldestAgeSeconds: 90 },
    shards: [
      { quarantinedUnits: 3, botUnits: 3, lateEvents: 5, unitsOutsidePhases: 7 },
      { quarantinedUnits: 0, botUnits: 0, lateEvents: 0, unitsOutsidePhases: 0 },
    ],
  });
});
