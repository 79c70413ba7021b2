import { describe, expect, test } from "vitest";
import { experimentOf } from "../test/control-state.ts";
import type { Flag } from "../core/index.ts";
import { checkExperiment } from "./check-experiment.ts";
import type { ExperimentSurroundings } from "./check-experiment.ts";

const flag: Flag = {
  key: "theme",
  type: "string",
  variants: [
    { key: "control", value: "light" },
    { key: "one_page", value: "dark" },
    { key: "blue", value: "blue" },
  ],
  defaultVariant: "control",
  enabled: true,
  salt: "s",
  rules: [],
};
const around: ExperimentSurroundings = { metrics: new Set(["purchased", "revenue"]), flag: null };

const pointersOf = (more: object, surroundings = around) =>
  checkExperiment(experimentOf(more), surroundings).map(({ pointer }) => pointer);

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
  const variants = [variant("control", 50, undefined, true), variant("blue", 50)];

  test("uses its variants, whose values are the flag's", () => {
    expect(pointersOf({ flag: "theme", variants }, { ...around, flag })).toEqual([]);
    const others = [variant("control", 50, "light", true), variant("green", 50)];
    expect(pointersOf({ flag: "theme", variants: others }, { ...around, flag })).toEqual([
      "/variants/0/value",
      "/variants/1/key",
    ]);
  });

  test("the flag must exist", () => {
    expect(pointersOf({ flag: "theme", variants })).toEqual(["/flag"]);
  });
});
