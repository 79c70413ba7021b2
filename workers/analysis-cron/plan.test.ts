import { expect, test } from "vitest";
import { planAnalyses } from "./plan.ts";

const settled = { asOfMs: 1_000, settlesAtMs: 900, activity: [3, 0] };
const started = (refreshed: typeof settled | null) => [
  { environment: "e", experiment: "x", refreshed },
];
const activity = (version: number) => [
  [{ environment: "e", experiment: "x", version, lastEventMs: 1 }],
  [{ environment: "other", experiment: "x", version: 9, lastEventMs: 1 }],
];

test("an experiment whose data have not changed and whose units have all matured is left alone", () => {
  expect(planAnalyses(started(settled), activity(3), 2_000)).toEqual([]);
});

test("one that was never refreshed, has new events, or has maturing units is refreshed", () => {
  const message = { v: 1, task: "refresh", environment: "e", experiment: "x", asOfMs: 2_000 };
  expect(planAnalyses(started(null), activity(3), 2_000)).toEqual([message]);
  expect(planAnalyses(started(settled), activity(4), 2_000)).toEqual([message]);
  const maturing = { ...settled, settlesAtMs: 1_001 };
  expect(planAnalyses(started(maturing), activity(3), 2_000)).toEqual([message]);
});

test("a changed number of shards is a change", () => {
  expect(planAnalyses(started(settled), activity(3).slice(0, 1), 2_000)).toHaveLength(1);
});
