import { describe, expect, test } from "vitest";
import { at, atMs, draftOf, startedOf, stateOf } from "../test/control-state.ts";
import { checkExperiment } from "./check-experiment.ts";
import { dueStep, hasEndedAsPlanned, reschedule } from "./schedule.ts";

const hourMs = 3_600_000;
const after = (hours: number) => new Date(atMs + hours * hourMs).toISOString();

const schedule = {
  start: after(1),
  stop: after(100),
  ramp: [
    { at: after(10), traffic: 10 },
    { at: after(20), traffic: 50 },
    { at: after(30), traffic: 100 },
  ],
};

describe("the step that is due", () => {
  const draft = draftOf({ traffic: 1, schedule });
  const running = { ...draft, status: "running" as const };
  const at = (hours: number) => atMs + hours * hourMs;

  test("a draft starts at its time, unless its stop has passed, too", () => {
    expect(dueStep(draft, at(0.9))).toBeNull();
    expect(dueStep(draft, at(1))).toMatchObject({ action: "start" });
    expect(dueStep(draft, at(101))).toBeNull();
  });

  test("1 → 10 → 50 → 100 % at their times, one step at a time", () => {
    const with_ = (traffic: number) => ({ ...running, body: { ...running.body, traffic } });
    expect(dueStep(running, at(9))).toBeNull();
    expect(dueStep(running, at(10))).toMatchObject({ action: "ramp", traffic: 10 });
    expect(dueStep(with_(10), at(15))).toBeNull();
    expect(dueStep(with_(10), at(90))).toMatchObject({ action: "ramp", traffic: 50 });
    expect(dueStep(with_(50), at(90))).toMatchObject({ action: "ramp", traffic: 100 });
    expect(dueStep(with_(100), at(90))).toBeNull();
  });

  test("what is paused is not ramped, and stops all the same", () => {
    const paused = { ...running, status: "paused" as const };
    expect(dueStep(paused, at(15))).toBeNull();
    expect(dueStep(paused, at(100))).toMatchObject({ action: "complete" });
    expect(dueStep({ ...running, status: "completed" }, at(100))).toBeNull();
  });
});

test.each([
  ["a stop before the start", { start: after(2), stop: after(1) }, "/schedule/stop"],
  ["less traffic", { ramp: [{ at: after(1), traffic: 1 }] }, "/schedule/ramp/0/traffic"],
  [
    "a step before another",
    {
      ramp: [
        { at: after(2), traffic: 10 },
        { at: after(1), traffic: 20 },
      ],
    },
    "/schedule/ramp/1/at",
  ],
  [
    "a step after the stop",
    { stop: after(1), ramp: [{ at: after(2), traffic: 10 }] },
    "/schedule/ramp/0/at",
  ],
])("%s is refused", (_, given, pointer) => {
  const { body } = draftOf({ traffic: 1, schedule: given });
  expect(checkExperiment(body, stateOf()).map((error) => error.pointer)).toEqual([pointer]);
});

test("a schedule can be replaced and removed until the experiment is completed", () => {
  const record = startedOf({ traffic: 10, schedule: { stop: after(100) } });
  const state = stateOf({ experiments: [record] });
  const moved = reschedule(state, record.key, { schedule, at });
  expect(moved).toMatchObject({
    ok: true,
    value: { action: "schedule", value: { body: { schedule } } },
  });
  const removed = reschedule(state, record.key, { schedule: null, at });
  expect(removed.ok && removed.value.value.body.schedule).toBeUndefined();
  const completed = stateOf({ experiments: [{ ...record, status: "completed" }] });
  expect(reschedule(completed, record.key, { schedule, at }).ok).toBe(false);
});

test("it ended as planned when it ran to the stop that it started with, whatever was scheduled since", () => {
  const [phase] = startedOf({ schedule: { stop: after(100) } }).phases;
  if (phase === undefined) throw new Error("no phase");
  const ended = (endMs: number) => hasEndedAsPlanned({ ...phase, running: [[atMs, endMs]] });
  expect(hasEndedAsPlanned(phase)).toBe(false);
  expect(ended(atMs + 50 * hourMs)).toBe(false);
  expect(ended(atMs + 100 * hourMs)).toBe(true);
  const [unplanned] = startedOf().phases;
  expect(unplanned && hasEndedAsPlanned({ ...unplanned, running: [[atMs, atMs + 1]] })).toBe(false);
});
