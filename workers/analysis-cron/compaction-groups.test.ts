import { describe, expect, test } from "vitest";
import type { RawObject } from "../../contracts/archive-keys.ts";
import { extendPlan } from "./compaction-groups.ts";

const minute = 60_000;
const nowMs = Date.UTC(2026, 0, 5, 9, 7);

const raw = (ids: string[], bytes = 100): RawObject[] =>
  ids.map((id) => ({ date: "2026-01-05", hour: "08", shard: 0, id, bytes }));
const none = { v: 1 as const, groups: [] };
const group = (id: string, objects: string[], queuedAtMs = nowMs) => ({ id, objects, queuedAtMs });

describe("groups", () => {
  test("are named after their first object, and queued", () => {
    expect(extendPlan(none, raw(["a", "b"]), nowMs)).toEqual({
      plan: { v: 1, groups: [group("a", ["a", "b"])] },
      due: ["a"],
    });
  });

  test("have 8 MB of raw objects at most, but at least one", () => {
    const objects = [...raw(["a", "b"], 4_000_000), ...raw(["c", "d"], 20_000_000), ...raw(["e"])];
    const { plan } = extendPlan(none, objects, nowMs);
    expect(plan.groups.map(({ objects }) => objects)).toEqual([["a", "b"], ["c"], ["d"], ["e"]]);
  });

  test("have 900 raw objects at most, so that ten of them are within 10,000 requests", () => {
    const ids = Array.from({ length: 2_000 }, (_, i) => `${i}`);
    const { plan } = extendPlan(none, raw(ids), nowMs);
    expect(plan.groups.map(({ objects }) => objects.length)).toEqual([900, 900, 200]);
    expect(plan.groups.flatMap(({ objects }) => objects)).toEqual(ids);
  });

  test("keep what they have: a new object makes a new group", () => {
    const plan = { v: 1 as const, groups: [group("b", ["b", "c"], nowMs - minute)] };
    expect(extendPlan(plan, raw(["a", "b", "c"]), nowMs)).toEqual({
      plan: { v: 1, groups: [...plan.groups, group("a", ["a"])] },
      due: ["a"],
    });
  });
});

describe("a group that is planned", () => {
  const plan = (queuedAtMs: number) => ({
    v: 1 as const,
    groups: [group("a", ["a", "b"], queuedAtMs)],
  });

  test("is not queued again while its objects may be being compacted", () => {
    const known = plan(nowMs - 14 * minute);
    expect(extendPlan(known, raw(["b"]), nowMs)).toEqual({ plan: known, due: [] });
  });

  test("is queued again when an object is left after a quarter of an hour", () => {
    const known = plan(nowMs - 15 * minute);
    expect(extendPlan(known, raw(["b"]), nowMs)).toEqual({ plan: plan(nowMs), due: ["a"] });
  });

  test("is queued again when it was queued by a clock that was far ahead", () => {
    expect(extendPlan(plan(nowMs + 60 * minute), raw(["a"]), nowMs).due).toEqual(["a"]);
  });

  test("is done when none of its objects is left", () => {
    expect(extendPlan(plan(0), [], nowMs)).toEqual({ plan: plan(0), due: [] });
  });
});
