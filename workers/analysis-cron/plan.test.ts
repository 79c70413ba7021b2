import { expect, test } from "vitest";
import { grouped, planAnalyses } from "./plan.ts";

const settled = { asOfMs: 1_000, settlesAtMs: 900, activity: [3, 0] };
const started = (refreshed: typeof settled | null, changedAtMs = 500) => [
  { environment: "e", experiment: "x", changedAtMs, refreshed },
];
const now = { added: [], asOfMs: 2_000 };
const activity = (version: number) => [
  [{ environment: "e", experiment: "x", version, lastEventMs: 1 }],
  [{ environment: "other", experiment: "x", version: 9, lastEventMs: 1 }],
];

test("an experiment whose data have not changed and whose units have all matured is left alone", () => {
  expect(planAnalyses(started(settled), activity(3), now)).toEqual([]);
});

test("one that was never refreshed, has new events, or has maturing units is refreshed", () => {
  const message = { v: 1, task: "refresh", environment: "e", experiment: "x", asOfMs: 2_000 };
  expect(planAnalyses(started(null), activity(3), now)).toEqual([message]);
  expect(planAnalyses(started(settled), activity(4), now)).toEqual([message]);
  const maturing = { ...settled, settlesAtMs: 1_001 };
  expect(planAnalyses(started(maturing), activity(3), now)).toEqual([message]);
});

test("one that was given a metric is refreshed until that is counted, whatever its data", () => {
  const added = [{ environment: "e", experiment: "x", addedAtMs: 1_500 }];
  expect(planAnalyses(started(settled), activity(3), { added, asOfMs: 2_000 })).toHaveLength(1);
  const days = 3 * 24 * 3_600_000;
  expect(planAnalyses(started(settled), activity(3), { added, asOfMs: days })).toEqual([]);
});

test("one that was paused, resumed or planned anew since is refreshed, though its data are settled", () => {
  expect(planAnalyses(started(settled, 1_001), activity(3), now)).toHaveLength(1);
  expect(planAnalyses(started(settled, 1_000), activity(3), now)).toEqual([]);
});

test("a changed number of shards is a change", () => {
  expect(planAnalyses(started(settled), activity(3).slice(0, 1), now)).toHaveLength(1);
});

test("refreshes of one environment travel together, twenty a message; one alone as it is", () => {
  const refresh = (environment: string, i: number) =>
    ({ v: 1, task: "refresh", environment, experiment: `x${i}`, asOfMs: 7 }) as const;
  const many = Array.from({ length: 41 }, (_, i) => refresh("e", i));
  const groups = grouped([...many, refresh("other", 0), refresh("other", 1)]);
  expect(groups.map(({ environment, task }) => [environment, task])).toEqual([
    ["e", "refresh-many"],
    ["e", "refresh-many"],
    ["e", "refresh"],
    ["other", "refresh-many"],
  ]);
  expect(groups[2]).toEqual(refresh("e", 40));
  expect(groups[3]).toEqual({
    v: 1,
    task: "refresh-many",
    environment: "other",
    experiments: ["x0", "x1"],
    asOfMs: 7,
  });
});
