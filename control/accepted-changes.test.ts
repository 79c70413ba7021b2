import { array, assert, constantFrom, integer, oneof, option, property, record } from "fast-check";
import { expect, test } from "vitest";
import type { Result } from "../contracts/problem.ts";
import { compile, evaluateAll } from "../core/index.ts";
import {
  at,
  definitionOf,
  experimentOf,
  flagOf,
  metricOf,
  stateOf,
} from "../test/control-state.ts";
import { buildSnapshot } from "./build-snapshot.ts";
import { archiveDefinition, createDefinition, replaceDefinition } from "./change-definition.ts";
import { advanceExperiment, createExperiment, replaceExperiment } from "./change-experiment.ts";
import { afterWrites } from "./environment-state.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";
import { isStarted } from "./experiment.ts";
import { flagKind } from "./flag-kind.ts";
import { layerKind } from "./layer-kind.ts";
import { publishable } from "./publishable.ts";
import { segmentKind } from "./segment-kind.ts";

type Change = (state: EnvironmentState) => Result<Decision<unknown>>;

const flagKeys = constantFrom("a", "b", "c", "d", "x");
const experimentKeys = constantFrom("x", "y", "z", "w", "v");
const variantKeys = constantFrom("on", "off", "third");
const weight = integer({ min: 1, max: 60 });
/** The first of them is given most often. */
const mostly = <T>(usual: T, ...others: T[]) =>
  constantFrom(...Array.from({ length: 6 }, () => usual), ...others);
const optional = <T>(value: T | undefined, name: string) =>
  value === undefined ? {} : { [name]: value };

const when = option(
  constantFrom({}, { country: "US" }, { id: { $inGroup: "staff" } }, { country: { $ne: "US" } }),
  { nil: undefined },
);
const rule = oneof(
  record({ when, serve: variantKeys }),
  record({ when, experiment: experimentKeys }),
  record({
    when,
    rollout: weight,
    split: array(record({ variant: variantKeys, weight }), { minLength: 1, maxLength: 2 }),
  }),
).map(({ when, ...rest }) => ({ ...optional(when, "when"), ...rest }));

/** Bodies that fit each other often, but not always. */
const flagBodies = record({
  key: flagKeys,
  variants: constantFrom(["on", "off", "third"], ["on", "off"]),
  defaultVariant: variantKeys,
  offVariant: option(variantKeys, { nil: undefined }),
  enabled: mostly(true, false),
  overrides: mostly(undefined, { on: ["u1"] }, { third: ["u2"] }),
  prerequisites: mostly([], ...["a", "b", "c"].map((flag) => [{ flag, variants: ["on"] }])),
  rules: array(rule, { maxLength: 3 }),
}).map(({ variants, offVariant, overrides, ...rest }) =>
  flagOf({
    ...rest,
    ...optional(offVariant, "offVariant"),
    ...optional(overrides, "overrides"),
    variants: variants.map((key) => ({ key, value: key })),
  }),
);

const experimentBodies = record({
  key: experimentKeys,
  flag: mostly(undefined, "a", "b", "c", "x"),
  layer: mostly("page", undefined, "other"),
  traffic: integer({ min: 1, max: 60 }),
  treatment: mostly("off", "third", "on"),
}).map(({ flag, layer, treatment, ...rest }) =>
  experimentOf({
    ...rest,
    ...optional(flag, "flag"),
    ...optional(layer, "layer"),
    variants: ["on", treatment].map((key, index) => ({
      key,
      weight: 50,
      isControl: index === 0,
      ...(flag === undefined && { value: key }),
    })),
  }),
);

const fresh = { at, id: "id", flagId: "flag-id", salt: "salt" };
const now = { at, expected: null };

const changes = oneof(
  flagBodies.map(
    (body): Change =>
      (state) =>
        createDefinition(flagKind, state, body, fresh),
  ),
  flagBodies.map(
    (body): Change =>
      (state) =>
        replaceDefinition(flagKind, state, body, now),
  ),
  flagKeys.map(
    (key): Change =>
      (state) =>
        archiveDefinition(flagKind, state, key, now),
  ),
  constantFrom<Change>(
    (state) => archiveDefinition(segmentKind, state, "staff", now),
    (state) => archiveDefinition(layerKind, state, "page", now),
  ),
  experimentBodies.map(
    (body): Change =>
      (state) =>
        createExperiment(state, body, fresh),
  ),
  experimentBodies.map(
    (body): Change =>
      (state) =>
        replaceExperiment(state, body, now),
  ),
  {
    weight: 4,
    arbitrary: record({
      key: constantFrom("x", "y", "z"),
      action: constantFrom("start", "pause", "resume", "start", "pause", "resume", "complete"),
    }).map(({ key, action }): Change => (state) => {
      return advanceExperiment(state, key, { action }, { ...fresh, ...now });
    }),
  },
  experimentKeys.map((key): Change => (state) => {
    return advanceExperiment(state, key, { action: "archive" }, { ...fresh, ...now });
  }),
  record({ key: experimentKeys, traffic: integer({ min: 1, max: 100 }) }).map(
    ({ key, traffic }): Change =>
      (state) =>
        advanceExperiment(state, key, { action: "ramp", traffic }, { ...fresh, ...now }),
  ),
);

const contexts = ["u1", "u2", "u3", "u4"].flatMap((targetingKey) => [
  { targetingKey },
  { targetingKey, country: "US", id: "s" },
]);

function expectServable(state: EnvironmentState): void {
  const compiled = compile(buildSnapshot(state));
  for (const context of contexts) {
    for (const { flag, reason, errorMessage } of evaluateAll(compiled, context)) {
      expect([flag, reason, errorMessage]).not.toEqual([flag, "ERROR", errorMessage]);
    }
  }
}

function expectDisjointSlots({ experiments }: EnvironmentState): void {
  const taken = experiments.filter(isStarted).flatMap(({ phases }) => {
    const phase = phases.at(-1);
    return phase?.layer === "page" ? phase.slots : [];
  });
  const ascending = taken.toSorted(([a], [b]) => a - b);
  ascending.forEach(([from, to], index) => {
    expect(from).toBeGreaterThanOrEqual(ascending[index - 1]?.[1] ?? 0);
    expect(to).toBeLessThanOrEqual(10_000);
  });
}

/** Three drafts of one layer, each with a flag of its own. */
const begun = ["x", "y", "z"].reduce(
  (state, key) => {
    const body = experimentOf({
      key,
      layer: "page",
      traffic: 30,
      variants: ["on", "off"].map((variant, index) => ({
        key: variant,
        value: variant,
        weight: 50,
        isControl: index === 0,
      })),
    });
    const created = createExperiment(state, body, fresh);
    return created.ok ? afterWrites(state, created.value.writes) : state;
  },
  stateOf({
    metrics: [definitionOf(metricOf())],
    segments: [definitionOf({ key: "staff", values: ["s"] })],
    layers: [definitionOf({ key: "page", salt: "layer-salt" })],
  }),
);

test("whatever changes are asked for, what is accepted can be served, and no bucket of a layer has two owners", () => {
  const accepted: Record<string, number> = {};
  assert(
    property(array(changes, { minLength: 40, maxLength: 80, size: "max" }), (asked) => {
      let state = begun;
      for (const change of asked) {
        const decided = change(state);
        const judged = decided.ok ? publishable(state, decided.value) : decided;
        if (!judged.ok) continue;
        const { action } = judged.value;
        accepted[action] = (accepted[action] ?? 0) + 1;
        state = afterWrites(state, judged.value.writes);
        expectServable(state);
        expectDisjointSlots(state);
      }
    }),
    { numRuns: 150, seed: 20_260_114 },
  );
  // None of it is true for want of changes.
  for (const action of [
    "create",
    "update",
    "start",
    "ramp",
    "pause",
    "resume",
    "complete",
    "archive",
  ]) {
    expect([action, (accepted[action] ?? 0) > 10]).toEqual([action, true]);
  }
});
