import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { AddedMetric } from "../../stores/added-metrics.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { day, hour, minute, start } from "../../test/checkout-events.ts";
import { planRebuilds } from "./plan-rebuilds.ts";

const shards = [rebuildStore(env.METRICS_0), rebuildStore(env.METRICS_1)];
let ids = 0;
const tick = (asOfMs: number, added: AddedMetric[] = []) =>
  planRebuilds(shards, { added, asOfMs, nowMs: asOfMs, newId: () => `id-${ids++}` });
const end = async (shard: number) => {
  const last = await shards[shard]?.last();
  if (last) await shards[shard]?.step(last, { status: "done", nowMs: last.steppedAtMs });
};
const queuedShards = async (asOfMs: number, added: AddedMetric[] = []) =>
  (await tick(asOfMs, added)).map(({ shard }) => shard);

beforeEach(async () => {
  for (const db of [env.METRICS_0, env.METRICS_1]) await db.prepare("DELETE FROM rebuilds").run();
});

describe("the cron", () => {
  test("begins a rebuild of every shard once a day, after three o'clock", async () => {
    const three = start + 3 * hour;
    expect(await queuedShards(three - minute)).toEqual([]);
    expect(await queuedShards(three - minute)).toEqual([]);
    expect(await queuedShards(three)).toEqual([]);
    expect(await queuedShards(three + minute)).toEqual([0, 1]);
    await end(0);
    await end(1);
    expect(await queuedShards(three + 2 * minute)).toEqual([]);
    expect(await queuedShards(three + 3 * minute)).toEqual([]);
    await tick(three + day);
    expect(await queuedShards(three + day + minute)).toEqual([0, 1]);
  });

  test("takes up what was asked for at the next minute, whatever the time", async () => {
    await shards[1]?.request("asked", "new metric", start);
    expect(await tick(start + minute)).toEqual([{ v: 1, task: "rebuild", shard: 1, id: "asked" }]);
  });

  test("begins one of every shard when a metric was added, once every consumer knows it, and one alone", async () => {
    const added = (addedAtMs: number) => ({ environment: "e", experiment: "checkout", addedAtMs });
    const one = [added(start)];
    expect(await queuedShards(start + minute, one)).toEqual([]);
    expect(await queuedShards(start + 2 * minute, one)).toEqual([]);
    expect(await queuedShards(start + 3 * minute, one)).toEqual([0, 1]);
    await end(0);
    await end(1);
    expect(await queuedShards(start + 4 * minute, one)).toEqual([]);
    expect(await queuedShards(start + 5 * minute, one)).toEqual([]);
    const two = [...one, added(start + 5 * minute)];
    await tick(start + 7 * minute, two);
    expect(await queuedShards(start + 8 * minute, two)).toEqual([0, 1]);
  });

  test("queues a rebuild again only when it stands still for a quarter of an hour", async () => {
    await shards[0]?.request("asked", "new metric", start);
    expect(await queuedShards(start + minute)).toEqual([0]);
    expect(await queuedShards(start + 2 * minute)).toEqual([]);
    const last = await shards[0]?.last();
    if (last) await shards[0]?.step(last, { status: "reading", nowMs: start + 10 * minute });
    expect(await queuedShards(start + 20 * minute)).toEqual([]);
    expect(await queuedShards(start + 25 * minute)).toEqual([0]);
  });
});
