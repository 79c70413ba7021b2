import { describe, expect, test } from "vitest";
import type { Result } from "../contracts/problem.ts";
import {
  archived,
  at,
  definitionOf,
  draftOf,
  flagOf,
  metricOf,
  startedOf,
  stateOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { archiveDefinition, createDefinition, replaceDefinition } from "./change-definition.ts";
import type { Decision } from "./environment-state.ts";
import { flagKind } from "./flag-kind.ts";
import { holdoutKind } from "./holdout-kind.ts";
import { layerKind, layerUse } from "./layer-kind.ts";
import { metricKind } from "./metric-kind.ts";
import { segmentKind } from "./segment-kind.ts";

const later = "2026-01-15T09:00:00.000Z";
const fresh = { at, id: "new-id", salt: "minted" };
const anyVersion = { expected: null, at: later };

describe("creating", () => {
  test("makes version 1, with a salt that is minted unless it is given", () => {
    const made = createDefinition(flagKind, stateOf(), flagOf(), fresh);
    const definition = {
      id: "new-id",
      version: 1,
      body: { ...storedFlagOf(), salt: "minted" },
      createdAt: at,
      updatedAt: at,
      archivedAt: null,
    };
    expect(made).toEqual({
      ok: true,
      value: {
        action: "create",
        writes: [{ entity: "flag", definition }],
        value: { definition, warnings: [] },
      },
    });
    for (const [kind, body] of [
      [flagKind, flagOf({ salt: "given" })],
      [layerKind, { key: "page", salt: "given" }],
      [holdoutKind, { key: "quiet", percent: 5, unit: "user", layer: null, salt: "given" }],
    ] as const) {
      expect(
        createDefinition(kind as typeof flagKind, stateOf(), body as never, fresh),
      ).toMatchObject({
        value: { value: { definition: { body: { salt: "given" } } } },
      });
    }
  });

  test("refuses a key that is or was in use", () => {
    for (const flags of [[definitionOf(storedFlagOf())], [archived(storedFlagOf())]]) {
      expect(createDefinition(flagKind, stateOf({ flags }), flagOf(), fresh)).toMatchObject({
        ok: false,
        problem: { code: "conflict", detail: expect.stringContaining("never used twice") },
      });
    }
  });

  test("refuses what is wrong in the body, naming the place", () => {
    const body = flagOf({ defaultVariant: "blue" });
    expect(createDefinition(flagKind, stateOf(), body, fresh)).toMatchObject({
      problem: { code: "invalid-body", errors: [{ pointer: "/defaultVariant" }] },
    });
    const holdout = { key: "quiet", percent: 5, unit: "user", layer: "no_such" };
    expect(createDefinition(holdoutKind, stateOf(), holdout, fresh)).toMatchObject({
      problem: { errors: [{ pointer: "/layer" }] },
    });
    const ratio = metricOf({ key: "r", type: "ratio" });
    expect(createDefinition(metricKind, stateOf(), ratio, fresh)).toMatchObject({
      problem: { errors: [{ pointer: "/denominator" }] },
    });
  });
});

describe("replacing", () => {
  const state = stateOf({ flags: [definitionOf({ ...storedFlagOf(), salt: "minted" })] });

  test("makes the next version and keeps id, creation and salt", () => {
    const replaced = replaceDefinition(flagKind, state, flagOf({ enabled: false }), anyVersion);
    expect(replaced).toMatchObject({
      value: {
        action: "update",
        value: {
          definition: {
            id: "id-of-theme",
            version: 2,
            createdAt: at,
            updatedAt: later,
            body: { enabled: false, salt: "minted" },
          },
        },
      },
    });
  });

  test("takes the salt that it has, and no other", () => {
    expect(replaceDefinition(flagKind, state, flagOf({ salt: "minted" }), anyVersion).ok).toBe(
      true,
    );
    expect(replaceDefinition(flagKind, state, flagOf({ salt: "other" }), anyVersion)).toMatchObject(
      {
        problem: { errors: [{ pointer: "/salt" }] },
      },
    );
  });

  test("is refused at another version than the one that was read, and where there is nothing in force", () => {
    const replace = (expected: number[] | null, around = state) =>
      replaceDefinition(flagKind, around, flagOf(), { expected, at });
    expect(replace([1]).ok).toBe(true);
    expect(replace([4, 1]).ok).toBe(true);
    expect(replace([2])).toMatchObject({
      problem: { code: "version-mismatch", detail: expect.stringContaining("at version 1, not 2") },
    });
    expect(replace(null, stateOf())).toMatchObject({ problem: { code: "not-found" } });
    const gone = stateOf({ flags: [archived(storedFlagOf())] });
    expect(replace(null, gone)).toMatchObject({ problem: { code: "not-found" } });
  });

  describe("says what it does to units that are assigned already:", () => {
    const holdout = { key: "quiet", salt: "s", unit: "user", layer: null };
    const segments = [definitionOf({ key: "staff", values: ["a"] })];
    const targeting = { id: { $inGroup: "staff" } };
    const around = stateOf({
      holdouts: [definitionOf({ ...holdout, basisPoints: 500 })],
      segments,
      experiments: [startedOf({ targeting }), draftOf({ key: "draft", targeting })],
    });
    const warningsOf = (decided: Result<Decision<{ warnings: string[] }>>) =>
      decided.ok ? decided.value.value.warnings : null;
    const held = (more: object, at = around) =>
      warningsOf(
        replaceDefinition(holdoutKind, at, { ...holdout, percent: 5, ...more }, anyVersion),
      );

    test("a holdout that grows, shrinks or holds others out, as long as an experiment runs", () => {
      expect(held({ percent: 5 })).toEqual([]);
      expect(held({ percent: 10 })).toEqual([
        expect.stringContaining("5 % of the units are held out"),
      ]);
      expect(held({ percent: 2 })).toEqual([
        expect.stringContaining("3 % of the units, held out until now"),
      ]);
      expect(held({ unit: "device" })).toEqual([expect.stringContaining("checkout")]);
      expect(held({ percent: 10 }, { ...around, experiments: [draftOf()] })).toEqual([]);
    });

    test("a new holdout", () => {
      const body = { ...holdout, key: "more", percent: 1 };
      const made = createDefinition(holdoutKind, around, body, fresh);
      expect(warningsOf(made)).toEqual([expect.stringContaining("1 % of the units")]);
    });

    test("a segment that a started experiment targets", () => {
      const put = (values: string[]) =>
        warningsOf(replaceDefinition(segmentKind, around, { key: "staff", values }, anyVersion));
      expect(put(["a"])).toEqual([]);
      expect(put(["a", "b"])).toEqual([
        expect.stringContaining("the experiment checkout is running"),
      ]);
    });
  });
});

describe("archiving", () => {
  test("leaves the definition as a next version that is no longer in force", () => {
    const segments = [definitionOf({ key: "staff", values: ["a"] })];
    expect(
      archiveDefinition(segmentKind, stateOf({ segments }), "staff", anyVersion),
    ).toMatchObject({
      value: {
        action: "archive",
        writes: [
          {
            entity: "segment",
            definition: {
              version: 2,
              updatedAt: later,
              archivedAt: later,
              body: { values: ["a"] },
            },
          },
        ],
      },
    });
  });

  const inSegment = { id: { $inGroup: "staff" } };
  const used = stateOf({
    segments: [definitionOf({ key: "staff", values: [] })],
    layers: [definitionOf({ key: "page", salt: "s" })],
    holdouts: [
      definitionOf({ key: "quiet", salt: "s", unit: "user", basisPoints: 1, layer: "page" }),
    ],
    flags: [
      definitionOf(storedFlagOf()),
      definitionOf(
        storedFlagOf({
          key: "needy",
          prerequisites: [{ flag: "theme", variants: ["dark"] }],
          rules: [{ when: { $or: [{ a: 1 }, { $not: inSegment }] }, serve: "dark" }],
        }),
      ),
    ],
    experiments: [draftOf({ layer: "page", targeting: inSegment })],
  });
  const nobody = stateOf({
    ...used,
    holdouts: [],
    flags: used.flags.slice(0, 1),
    experiments: [
      { ...startedOf({ layer: "page", targeting: inSegment, flag: "theme" }), status: "completed" },
    ],
  });

  test.each([
    ["flag", flagKind, "theme", ["the flag needy"]],
    ["flag", flagKind, "checkout", ["the experiment checkout"]],
    ["segment", segmentKind, "staff", ["the experiment checkout", "the flag needy"]],
    ["layer", layerKind, "page", ["the experiment checkout", "the holdout quiet"]],
    ["metric", metricKind, "purchased", ["the experiment checkout"]],
  ] as const)("a %s is refused while somebody uses it, naming who", (_entity, kind, key, users) => {
    const own = definitionOf(storedFlagOf({ key: "checkout" }));
    const state = { ...used, flags: [...used.flags, own] };
    expect(archiveDefinition(kind as typeof flagKind, state, key, anyVersion)).toMatchObject({
      problem: { code: "conflict", detail: expect.stringContaining(users.join(", ")) },
    });
    if (key !== "checkout") {
      expect(archiveDefinition(kind as typeof flagKind, nobody, key, anyVersion).ok).toBe(true);
    }
  });

  test("a holdout is used by nobody: archived, it holds nobody out", () => {
    expect(archiveDefinition(holdoutKind, used, "quiet", anyVersion).ok).toBe(true);
  });

  test("is refused at another version than the one that was read", () => {
    expect(archiveDefinition(holdoutKind, used, "quiet", { expected: [9], at })).toMatchObject({
      problem: { code: "version-mismatch" },
    });
  });
});

test("a layer tells its experiments, their slots and what is free", () => {
  const layer = { key: "page", salt: "s" };
  const use = { ...layer, occupied: [] };
  const running = startedOf({ key: "a", layer: "page", traffic: 30.5 }, use);
  const completed = startedOf({ key: "b", layer: "page", traffic: 20 }, use);
  const experiments = [
    running,
    { ...completed, status: "completed" as const },
    draftOf({ key: "c", layer: "page" }),
    startedOf({ key: "d" }),
  ];
  expect(layerUse(layer, experiments)).toEqual({
    experiments: [
      { key: "a", status: "running", slots: [[0, 3_050]] },
      { key: "c", status: "draft", slots: [] },
    ],
    free: 69.5,
  });
});
