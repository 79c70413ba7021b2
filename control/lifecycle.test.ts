import { describe, expect, test } from "vitest";
import { atMs, draftOf, metricOf, metricsOf } from "../test/control-state.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { advance } from "./lifecycle.ts";
import type { LifecycleAction } from "./lifecycle.ts";

const hour = 3_600_000;
const inputs = { nowMs: atMs, metrics: metricsOf(metricOf()), freshSalt: "fresh", layer: null };

function after(record: ExperimentRecord, ...steps: [LifecycleAction, number][]): ExperimentRecord {
  return steps.reduce((each, [action, nowMs]) => {
    const next = advance(each, action, { ...inputs, nowMs });
    if (!next.ok) throw new Error(next.problem.detail);
    return next.value;
  }, record);
}

test("starting freezes everything that evaluation, counting and analysis read", () => {
  const draft = draftOf({ traffic: 12.34, targeting: { country: "US" }, unit: "user" });
  const { status, phases, body } = after(draft, ["start", atMs]);
  expect(status).toBe("running");
  expect(body).toBe(draft.body);
  expect(phases).toEqual([
    {
      phase: 1,
      salt: "fresh",
      unit: "user",
      control: "control",
      variants: [
        { variant: "control", weightBasisPoints: 5_000 },
        { variant: "one_page", weightBasisPoints: 5_000 },
      ],
      targeting: { country: "US" },
      layer: null,
      layerSalt: "id-of-checkout",
      slots: [[0, 1_234]],
      dimensions: ["country", "device", "platform"],
      excludesEarlierPhases: false,
      exploratory: false,
      metrics: [expect.objectContaining({ key: "purchased", role: "primary" })],
      plan: expect.objectContaining({ maximumSampleSize: 1_000, ledgerAlpha: 0.05 }),
      running: [[atMs, null]],
    },
  ]);
});

test("a salt of the body's own is kept", () => {
  const { phases } = after(draftOf({ salt: "chosen" }), ["start", atMs]);
  expect(phases[0]?.salt).toBe("chosen");
});

test("pauses and resumes end and begin intervals, and change nothing else of the phase", () => {
  const started = after(draftOf(), ["start", atMs]);
  const resumed = after(started, ["pause", atMs + hour], ["resume", atMs + 3 * hour]);
  expect(resumed.status).toBe("running");
  expect(resumed.phases).toEqual([
    {
      ...started.phases[0],
      running: [
        [atMs, atMs + hour],
        [atMs + 3 * hour, null],
      ],
    },
  ]);
  const completed = after(resumed, ["pause", atMs + 4 * hour], ["complete", atMs + 5 * hour]);
  expect(completed.status).toBe("completed");
  expect(completed.phases[0]?.running.at(-1)).toEqual([atMs + 3 * hour, atMs + 4 * hour]);
});

describe("a step from where it is not possible is refused, naming the status and changing nothing", () => {
  const draft = draftOf();
  const running = after(draft, ["start", atMs]);
  const paused = after(running, ["pause", atMs + hour]);
  const completed = after(paused, ["complete", atMs + hour]);
  test.each([
    ["pause", draft],
    ["resume", draft],
    ["complete", draft],
    ["start", running],
    ["resume", running],
    ["start", paused],
    ["pause", paused],
    ["start", completed],
    ["pause", completed],
    ["resume", completed],
    ["complete", completed],
  ] as const)("%s", (action, record) => {
    const before = structuredClone(record);
    expect(advance(record, action, inputs)).toMatchObject({
      ok: false,
      problem: { code: "not-possible", detail: expect.stringContaining(`is ${record.status}`) },
    });
    expect(record).toEqual(before);
  });
});

test("a plan that its metrics no longer allow is refused at the start", () => {
  const draft = draftOf({ plan: { baseline: 0.1, minimumDetectableEffect: 0.1 } });
  const metrics = metricsOf(metricOf({ type: "mean" }));
  expect(advance(draft, "start", { ...inputs, metrics })).toMatchObject({
    ok: false,
    problem: { errors: [{ pointer: "/plan/standardDeviation" }] },
  });
});
