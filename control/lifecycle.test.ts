import { describe, expect, test } from "vitest";
import { atMs, draftOf, metricOf, metricsOf, startedOf } from "../test/control-state.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { advance, ramp } from "./lifecycle.ts";
import type { LayerUse, LifecycleAction } from "./lifecycle.ts";

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
    ["archive", running],
    ["archive", paused],
    ["archive", after(completed, ["archive", atMs])],
    ["start", after(draft, ["archive", atMs])],
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

const layerWith = (...occupied: LayerUse["occupied"]): LayerUse => ({
  key: "page",
  salt: "layer-salt",
  occupied,
});

describe("in a layer", () => {
  test("starting takes the first free buckets, under the layer's salt", () => {
    const { phases } = startedOf({ layer: "page", traffic: 50 }, layerWith([1_000, 4_000]));
    expect(phases[0]).toMatchObject({
      layer: "page",
      layerSalt: "layer-salt",
      slots: [
        [0, 1_000],
        [4_000, 8_000],
      ],
    });
  });

  test("a full layer refuses, saying its name and how much is free", () => {
    const layer = layerWith([0, 8_750]);
    const draft = draftOf({ layer: "page", traffic: 12.51 });
    expect(advance(draft, "start", { ...inputs, layer })).toMatchObject({
      ok: false,
      problem: {
        code: "not-possible",
        detail: expect.stringMatching(/layer page has 12\.5 % .* this takes 12\.51 %/),
      },
    });
    expect(startedOf({ layer: "page", traffic: 12.5 }, layer).status).toBe("running");
  });
});

describe("raising traffic", () => {
  const inLayer = startedOf({ layer: "page", traffic: 20 }, layerWith());

  test("appends slots and moves none", () => {
    const raised = ramp(inLayer, 35, layerWith([0, 2_000], [2_500, 9_000]));
    expect(raised).toMatchObject({
      ok: true,
      value: {
        status: "running",
        body: { traffic: 35 },
        phases: [
          {
            slots: [
              [0, 2_000],
              [2_000, 2_500],
              [9_000, 10_000],
            ],
          },
        ],
      },
    });
  });

  test("outside any layer takes the first buckets", () => {
    expect(ramp(startedOf({ traffic: 10 }), 12.34, null)).toMatchObject({
      value: { phases: [{ slots: [[0, 1_234]] }], body: { traffic: 12.34 } },
    });
  });

  test("is possible while paused, and changes nothing else of the phase", () => {
    const paused = after(inLayer, ["pause", atMs + hour]);
    const raised = ramp(paused, 30, layerWith([0, 2_000]));
    if (!raised.ok) throw new Error(raised.problem.detail);
    const { slots, ...rest } = raised.value.phases[0] ?? {};
    const { slots: before, ...restBefore } = paused.phases[0] ?? {};
    expect(rest).toEqual(restBefore);
    expect(slots?.slice(0, 1)).toEqual(before);
    expect(raised.value.status).toBe("paused");
  });

  test.each([
    ["lowered, because units would drop out", inLayer, 19.99, "take units out"],
    ["what it is", inLayer, 20, "already"],
    ["more than is free", inLayer, 60.01, "layer page has 40 %"],
    ["that of a draft", draftOf(), 100, "is draft"],
    ["that of a completed one", after(inLayer, ["complete", atMs]), 100, "is completed"],
  ])("refuses %s", (_name, record, traffic, reason) => {
    expect(ramp(record, traffic, layerWith([0, 6_000]))).toMatchObject({
      ok: false,
      problem: { code: "not-possible", detail: expect.stringContaining(reason) },
    });
  });
});

test("a draft or a completed experiment is archived, with its phases as they were", () => {
  const completed = after(draftOf(), ["start", atMs], ["complete", atMs + hour]);
  expect(after(completed, ["archive", atMs + 2 * hour])).toEqual({
    ...completed,
    status: "archived",
  });
  expect(after(draftOf(), ["archive", atMs])).toEqual({ ...draftOf(), status: "archived" });
});
