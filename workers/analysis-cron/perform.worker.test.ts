import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import type { AnalysisMessage } from "../../contracts/analysis-message.ts";
import { archiveReader } from "../../stores/archive-reader.ts";
import { archiveRetention } from "../../stores/archive-retention.ts";
import { archivedBefore } from "../../stores/archived-experiments.ts";
import { cellRollUp } from "../../stores/cell-roll-up.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { compactionStore } from "../../stores/compaction-store.ts";
import { currentPlans } from "../../stores/current-plans.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { rawArchive } from "../../stores/raw-archive.ts";
import { rebuildDifference } from "../../stores/rebuild-difference.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { shardRetention } from "../../stores/shard-retention.ts";
import { foldIntoRebuild } from "../../stores/unit-shard.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { performAll } from "./perform.ts";
import type { Services } from "./perform.ts";

const refresh = { v: 1, task: "refresh", environment: "e", experiment: "x", asOfMs: 0 } as const;
const compact = {
  v: 1,
  task: "compact",
  date: "2026-01-05",
  hour: "00",
  shard: 0,
  group: "a",
} as const;
const purge = { v: 1, task: "purge", prefix: "raw/v1/", before: "2026-01-06" } as const;

/** What was asked for, in order. */
let asked: string[] = [];
let queued: AnalysisMessage[] = [];
beforeEach(async () => {
  asked = [];
  queued = [];
  await env.ARCHIVE.delete((await env.ARCHIVE.list()).objects.map(({ key }) => key));
});

function services(): Services {
  const compactions = compactionStore(env.ARCHIVE);
  return {
    definitions: {
      ...definitionStore(env.CONTROL),
      experimentsNamed(environment, [experiment = "none"]) {
        asked.push(`${environment}/${experiment}`);
        return experiment === "broken" ? Promise.reject(new Error("down")) : Promise.resolve([]);
      },
    },
    webhooks: webhookStore(env.CONTROL),
    send: () => Promise.reject(new Error("nobody is there")),
    publisher: { publish: () => Promise.resolve() },
    newId: () => crypto.randomUUID(),
    nowMs: () => 0,
    ledger: ledgerStore(env.CONTROL),
    cells: cellStore([env.METRICS_0]),
    archive: {
      raw: rawArchive(env.ARCHIVE),
      compactions: {
        ...compactions,
        plan(hour) {
          asked.push(`plan of ${hour.hour}`);
          return compactions.plan(hour);
        },
      },
      retention: archiveRetention(env.ARCHIVE, { pages: 1, keysAPage: 1 }),
    },
    rebuilds: {
      shard: () => ({
        rebuilds: rebuildStore(env.METRICS_0),
        fold: foldIntoRebuild.bind(null, env.METRICS_0),
        difference: rebuildDifference.bind(null, env.METRICS_0),
      }),
      archive: archiveReader(env.ARCHIVE),
      plan: currentPlans(definitionStore(env.CONTROL)),
      nowMs: () => 0,
    },
    retirements: {
      shard: () => ({
        rebuilds: rebuildStore(env.METRICS_0),
        retention: shardRetention(env.METRICS_0),
      }),
      archivedBefore: archivedBefore.bind(null, env.CONTROL),
      plan: currentPlans(definitionStore(env.CONTROL)),
    },
    rollUps: {
      shard: () => cellRollUp(env.METRICS_0),
      experiments: (environment) => definitionStore(env.CONTROL).experiments(environment),
    },
    queue(messages) {
      queued.push(...messages);
      return Promise.resolve();
    },
  };
}

async function deliver(bodies: string[]) {
  const batch = createMessageBatch<string>(
    "edgewise-analyses",
    bodies.map((body, i) => ({ id: String(i), timestamp: new Date(0), attempts: 1, body })),
  );
  await performAll(batch.messages, services());
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  return { done: explicitAcks, again: retryMessages.map(({ msgId }) => msgId) };
}

test("notices are purged a step a message, until there are no more", async () => {
  const removed: string[] = [];
  const work = { v: 1, task: "purge-notices", before: "2001-02-03T00:00:00.000Z" } as const;
  const batch = createMessageBatch<string>("edgewise-analyses", [
    { id: "1", timestamp: new Date(0), attempts: 1, body: JSON.stringify(work) },
  ]);
  const all = services();
  const removeBefore = (at: string) => Promise.resolve(removed.push(at) === 1);
  await performAll(batch.messages, { ...all, webhooks: { ...all.webhooks, removeBefore } });
  expect(queued).toEqual([work]);
  await performAll(batch.messages, { ...all, webhooks: { ...all.webhooks, removeBefore } });
  expect(queued).toEqual([work]);
  expect(removed).toEqual([work.before, work.before]);
});

test("refreshes come before the archive's work, and one that fails comes again alone", async () => {
  const bodies = [compact, refresh, { ...refresh, experiment: "broken" }, refresh];
  const answers = await deliver(bodies.map((body) => JSON.stringify(body)));
  expect(answers).toEqual({ done: ["0", "1", "3"], again: ["2"] });
  expect(asked).toEqual(["e/x", "e/broken", "e/x", "plan of 00"]);
});

test.each([
  ["no JSON", "{"],
  ["of no known task", JSON.stringify({ ...refresh, task: "rest" })],
  ["of another version", JSON.stringify({ ...compact, v: 2 })],
])("a message that is %s is dropped, for the cron plans its work anew", async (_, body) => {
  expect(await deliver([body, JSON.stringify(refresh)])).toEqual({ done: ["0", "1"], again: [] });
  expect(asked).toEqual(["e/x"]);
});

test("a purge that is not at its end queues the next step", async () => {
  for (const id of ["a", "b"]) {
    await env.ARCHIVE.put(`raw/v1/date=2026-01-05/hour=00/shard=0/${id}`, "");
  }
  expect(await deliver([JSON.stringify(purge)])).toEqual({ done: ["0"], again: [] });
  expect(queued).toEqual([purge]);
  await deliver([JSON.stringify(purge)]);
  expect(queued).toEqual([purge]);
  expect((await env.ARCHIVE.list()).objects).toEqual([]);
});

test("a rebuild goes on in messages of its own, to the end", async () => {
  const id = "019b8b74-1800-7441-9a0e-000000000001";
  await rebuildStore(env.METRICS_0).request(id, "test", 0);
  queued = [{ v: 1, task: "rebuild", shard: 0, id }];
  let deliveries = 0;
  for (; queued.length > 0; deliveries++) {
    const bodies = queued.splice(0).map((message) => JSON.stringify(message));
    expect(await deliver(bodies)).toEqual({ done: ["0"], again: [] });
  }
  expect(deliveries).toBeGreaterThan(3);
  expect(await rebuildStore(env.METRICS_0).last()).toMatchObject({ id, status: "done" });
});

test("several experiments in a message that cannot be read are refreshed one by one", async () => {
  const many = { ...refresh, task: "refresh-many", experiments: ["broken", "y"] };
  expect(await deliver([JSON.stringify(many)])).toEqual({ done: ["0"], again: [] });
  expect(queued).toEqual([
    { ...refresh, experiment: "broken" },
    { ...refresh, experiment: "y" },
  ]);
});

test("retention of a shard is done", async () => {
  const retire = { v: 1, task: "retire", shard: 0, asOfMs: 0, days: 30, after: "" };
  expect(await deliver([JSON.stringify(retire)])).toEqual({ done: ["0"], again: [] });
  expect(queued).toEqual([]);
});
