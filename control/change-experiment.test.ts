import { describe, expect, test } from "vitest";
import type { Result } from "../contracts/problem.ts";
import {
  archived,
  at,
  definitionOf,
  draftOf,
  experimentOf,
  startedOf,
  stateOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { advanceExperiment, createExperiment, replaceExperiment } from "./change-experiment.ts";
import { afterWrites } from "./environment-state.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";

const later = "2026-01-15T09:00:00.000Z";
const fresh = { at, id: "new-id", flagId: "new-flag-id", salt: "minted" };
const anyVersion = { expected: null, at: later };

function after(state: EnvironmentState, decision: Result<Decision<unknown>>): EnvironmentState {
  if (!decision.ok) throw new Error(decision.problem.detail);
  return afterWrites(state, decision.value.writes);
}

const flagIn = (state: EnvironmentState, key: string) =>
  state.flags.find(({ body }) => body.key === key);

const variants = (treatment: string, value: unknown = "v2") => [
  { key: "control", weight: 50, value: "v1", isControl: true },
  { key: treatment, weight: 50, value },
];

describe("creating", () => {
  test("makes a draft and a flag of its key, that serves the control to all others", () => {
    const body = experimentOf();
    const state = after(stateOf(), createExperiment(stateOf(), body, fresh));
    expect(state.experiments).toEqual([{ ...draftOf(), id: "new-id" }]);
    expect(flagIn(state, "checkout")).toEqual({
      ...definitionOf({
        key: "checkout",
        type: "string",
        variants: [
          { key: "control", value: "v1" },
          { key: "one_page", value: "v2" },
        ],
        defaultVariant: "control",
        enabled: true,
        salt: "minted",
        rules: [{ experiment: "checkout" }],
      }),
      id: "new-flag-id",
    });
  });

  test("in a flag puts its rule first", () => {
    const flags = [definitionOf(storedFlagOf({ rules: [{ serve: "dark" }] }))];
    const inTheme = experimentOf({
      flag: "theme",
      variants: [
        { key: "light", weight: 50, isControl: true },
        { key: "dark", weight: 50 },
      ],
    });
    const state = after(stateOf({ flags }), createExperiment(stateOf({ flags }), inTheme, fresh));
    expect(flagIn(state, "theme")).toMatchObject({
      version: 2,
      body: { rules: [{ experiment: "checkout" }, { serve: "dark" }] },
    });
    expect(state.flags).toHaveLength(1);
  });

  test.each([
    ["an experiment of that key", { experiments: [draftOf()] }],
    [
      "an archived experiment of that key",
      { experiments: [{ ...draftOf(), status: "archived" as const }] },
    ],
    ["a flag of that key", { flags: [definitionOf(storedFlagOf({ key: "checkout" }))] }],
    ["an archived flag of that key", { flags: [archived(storedFlagOf({ key: "checkout" }))] }],
  ])("is refused where there is %s", (_name, more) => {
    expect(createExperiment(stateOf(more), experimentOf(), fresh)).toMatchObject({
      problem: { code: "conflict" },
    });
  });

  test("is refused with an archived metric", () => {
    const [metric] = stateOf().metrics;
    const metrics = metric === undefined ? [] : [{ ...metric, archivedAt: at }];
    expect(createExperiment(stateOf({ metrics }), experimentOf(), fresh)).toMatchObject({
      problem: { errors: [{ pointer: "/metrics/primary/0" }] },
    });
  });
});

describe("replacing a draft", () => {
  const created = after(stateOf(), createExperiment(stateOf(), experimentOf(), fresh));

  test("its own flag follows: variants, values, type and default", () => {
    const body = experimentOf({
      variants: [
        { key: "old", weight: 40, value: 1, isControl: true },
        { key: "new", weight: 60, value: 2 },
      ],
    });
    const state = after(created, replaceExperiment(created, body, anyVersion));
    expect(state.experiments).toMatchObject([{ id: "new-id", version: 2, status: "draft", body }]);
    expect(flagIn(state, "checkout")).toMatchObject({
      version: 2,
      body: {
        type: "number",
        variants: [
          { key: "old", value: 1 },
          { key: "new", value: 2 },
        ],
        defaultVariant: "old",
        salt: "minted",
        rules: [{ experiment: "checkout" }],
      },
    });
  });

  test("what others added to its flag stays, and what no longer fits is refused", () => {
    const flag = flagIn(created, "checkout");
    if (flag === undefined) throw new Error("no flag");
    const extended = {
      ...flag,
      body: {
        ...flag.body,
        variants: [...flag.body.variants, { key: "extra", value: "v3" }],
        rules: [{ experiment: "checkout" }, { when: { a: 1 }, serve: "one_page" }],
      },
    };
    const state = { ...created, flags: [extended] };
    const same = replaceExperiment(state, experimentOf({ traffic: 5 }), anyVersion);
    expect(flagIn(after(state, same), "checkout")?.body).toEqual(extended.body);
    const renamed = experimentOf({ variants: variants("two_pages") });
    expect(replaceExperiment(state, renamed, anyVersion)).toMatchObject({
      problem: {
        errors: [{ pointer: "/variants", detail: expect.stringContaining("/rules/1/serve") }],
      },
    });
  });

  test.each(["running", "paused", "completed", "archived"] as const)(
    "only a draft: one that is %s is frozen",
    (status) => {
      const state = stateOf({ experiments: [{ ...startedOf(), status }] });
      expect(replaceExperiment(state, experimentOf(), anyVersion)).toMatchObject({
        problem: { code: "not-possible", detail: expect.stringContaining(status) },
      });
    },
  );

  test("is refused in another flag, at another version, and where there is none", () => {
    const flags = [...created.flags, definitionOf(storedFlagOf())];
    const elsewhere = experimentOf({ flag: "theme" });
    expect(replaceExperiment({ ...created, flags }, elsewhere, anyVersion)).toMatchObject({
      problem: { errors: [{ pointer: "/flag" }] },
    });
    expect(replaceExperiment(created, experimentOf(), { expected: [3], at: later })).toMatchObject({
      problem: { code: "version-mismatch" },
    });
    expect(replaceExperiment(stateOf(), experimentOf(), anyVersion)).toMatchObject({
      problem: { code: "not-found" },
    });
    const broken = experimentOf({ plan: { baseline: 0.9, minimumDetectableEffect: 0.5 } });
    expect(replaceExperiment(created, broken, anyVersion)).toMatchObject({
      problem: { errors: [{ pointer: "/plan" }] },
    });
  });
});

describe("running", () => {
  const step = (
    state: EnvironmentState,
    key: string,
    given: Parameters<typeof advanceExperiment>[2],
  ) => advanceExperiment(state, key, given, { at: later, salt: "minted", expected: null });
  const layers = [definitionOf({ key: "page", salt: "layer-salt" })];
  const drafts = ["a", "b", "c"].map((key) => draftOf({ key, layer: "page", traffic: 40 }));
  const slotsOf = (state: EnvironmentState, key: string) =>
    state.experiments.find((record) => record.key === key)?.phases.at(-1)?.slots;

  test("experiments of a layer get buckets of their own until it is full, and give them back when completed", () => {
    let state = stateOf({ layers, experiments: drafts });
    state = after(state, step(state, "a", { action: "start" }));
    state = after(state, step(state, "b", { action: "start" }));
    expect([slotsOf(state, "a"), slotsOf(state, "b")]).toEqual([[[0, 4_000]], [[4_000, 8_000]]]);
    expect(step(state, "c", { action: "start" })).toMatchObject({
      problem: { detail: expect.stringContaining("layer page has 20 %") },
    });
    state = after(state, step(state, "a", { action: "pause" }));
    expect(step(state, "c", { action: "start" }).ok).toBe(false);
    state = after(state, step(state, "a", { action: "complete" }));
    state = after(state, step(state, "c", { action: "start" }));
    expect(slotsOf(state, "c")).toEqual([[0, 4_000]]);
    state = after(state, step(state, "b", { action: "ramp", traffic: 60 }));
    expect(slotsOf(state, "b")).toEqual([
      [4_000, 8_000],
      [8_000, 10_000],
    ]);
  });

  test("each step is the record's next version, told with its reason", () => {
    const state = stateOf({ experiments: [draftOf()] });
    expect(step(state, "checkout", { action: "start", reason: "reviewed" })).toMatchObject({
      value: {
        action: "start",
        reason: "reviewed",
        writes: [{ record: { version: 2, updatedAt: later, status: "running" } }],
      },
    });
    expect(step(state, "no_such", { action: "start" })).toMatchObject({
      problem: { code: "not-found" },
    });
    expect(
      advanceExperiment(state, "checkout", { action: "start" }, { at, salt: "s", expected: [2] }),
    ).toMatchObject({ problem: { code: "version-mismatch" } });
  });
});
