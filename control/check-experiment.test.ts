import { describe, expect, test } from "vitest";
import {
  archived,
  definitionOf,
  draftOf,
  experimentOf,
  metricOf,
  stateOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { checkExperiment } from "./check-experiment.ts";

const state = stateOf({
  metrics: [metricOf(), metricOf({ key: "revenue", type: "mean" })].map(definitionOf),
  segments: [definitionOf({ key: "staff", values: [] }), archived({ key: "gone", values: [] })],
  layers: [definitionOf({ key: "page", salt: "s" })],
  flags: [definitionOf(storedFlagOf())],
});

const pointersOf = (more: object, around = state) =>
  checkExperiment(experimentOf(more), around).map(({ pointer }) => pointer);

const variant = (key: string, weight: number, value?: unknown, isControl = false) => ({
  key,
  weight,
  ...(value !== undefined && { value }),
  isControl,
});

test("a complete body has nothing wrong", () => {
  expect(pointersOf({})).toEqual([]);
  expect(pointersOf({ targeting: { country: { $in: ["US", "CA"] } } })).toEqual([]);
});

describe("names the place of", () => {
  test.each([
    ["weights of 99", [variant("a", 50, 1, true), variant("b", 49, 2)], ["/variants"]],
    [
      "weights of 99.99",
      [variant("a", 33.33, 1, true), variant("b", 33.33, 2), variant("c", 33.33, 3)],
      ["/variants"],
    ],
    ["no control", [variant("a", 50, 1), variant("b", 50, 2)], ["/variants"]],
    ["two controls", [variant("a", 50, 1, true), variant("b", 50, 2, true)], ["/variants"]],
    ["one key twice", [variant("a", 50, 1, true), variant("a", 50, 2)], ["/variants/1/key"]],
    ["a value missing", [variant("a", 50, 1, true), variant("b", 50)], ["/variants/1/value"]],
    [
      "values of two types",
      [variant("a", 50, { x: 1 }, true), variant("b", 50, "x")],
      ["/variants/1/value"],
    ],
    [
      "a list",
      [variant("a", 50, [], true), variant("b", 50, [])],
      ["/variants/0/value", "/variants/1/value"],
    ],
    [
      "null",
      [variant("a", 50, null, true), variant("b", 50, 1)],
      ["/variants/0/value", "/variants/1/value"],
    ],
  ])("%s", (_name, variants, pointers) => {
    expect(pointersOf({ variants })).toEqual(pointers);
  });

  test("metrics that are unknown, or in two roles", () => {
    const metrics = {
      primary: ["purchased", "a"],
      secondary: ["revenue", "purchased"],
      guardrail: [{ metric: "b" }],
    };
    expect(pointersOf({ metrics })).toEqual([
      "/metrics/primary/1",
      "/metrics/guardrail/0/metric",
      "/metrics/secondary/1",
    ]);
  });

  test.each([
    [{}, "/plan/maximumSampleSize"],
    [{ minimumDetectableEffect: 0.1 }, "/plan/baseline"],
    [{ maximumSampleSize: 10, looks: { fractions: [0.5, 0.5, 1] } }, "/plan/looks/fractions"],
    [{ maximumSampleSize: 10, looks: { fractions: [0.5, 0.9] } }, "/plan/looks/fractions"],
  ])("the plan %o", (plan, pointer) => {
    expect(pointersOf({ plan })).toEqual([pointer]);
  });

  test("a condition's operator, and a regular expression that could run forever", () => {
    const targeting = { $or: [{ country: { $within: ["US"] } }, { url: { $regex: "^(a+)+$" } }] };
    expect(pointersOf({ targeting })).toEqual([
      "/targeting/$or/0/country/$within",
      "/targeting/$or/1/url/$regex",
    ]);
  });
});

describe("in a flag that exists", () => {
  const variants = [variant("light", 50, undefined, true), variant("dark", 50)];

  test("uses its variants, whose values are the flag's", () => {
    expect(pointersOf({ flag: "theme", variants })).toEqual([]);
    const others = [variant("light", 50, "#fff", true), variant("green", 50)];
    expect(pointersOf({ flag: "theme", variants: others })).toEqual([
      "/variants/0/value",
      "/variants/1/key",
    ]);
  });

  test("the flag must exist, and still do", () => {
    expect(pointersOf({ flag: "no_such", variants })).toEqual(["/flag"]);
    const flags = [archived(storedFlagOf())];
    expect(pointersOf({ flag: "theme", variants }, { ...state, flags })).toEqual(["/flag"]);
  });
});

describe("in a layer", () => {
  test("the layer must exist", () => {
    expect(pointersOf({ layer: "page" })).toEqual([]);
    expect(pointersOf({ layer: "no_such" })).toEqual(["/layer"]);
  });

  test("all experiments divide the same kind of unit, because buckets of two kinds say nothing about each other", () => {
    const experiments = [draftOf({ key: "other", layer: "page", unit: "device" })];
    expect(pointersOf({ layer: "page" }, { ...state, experiments })).toEqual(["/unit"]);
    expect(pointersOf({ layer: "page", unit: "device" }, { ...state, experiments })).toEqual([]);
    const finished = experiments.map((record) => ({ ...record, status: "completed" as const }));
    expect(pointersOf({ layer: "page" }, { ...state, experiments: finished })).toEqual([]);
  });
});

test("targeting may name a segment that exists", () => {
  expect(pointersOf({ targeting: { id: { $inGroup: "staff" } } })).toEqual([]);
  expect(pointersOf({ targeting: { id: { $notInGroup: "gone" } } })).toEqual([
    "/targeting/id/$notInGroup",
  ]);
});
