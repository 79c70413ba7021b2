import { describe, expect, test } from "vitest";
import { compile, evaluate, evaluateAll, explain } from "./index.ts";
import type { Condition, Context, Flag, Prerequisite, Rule, Snapshot } from "./index.ts";

function flag(key: string, rest: Partial<Flag> = {}): Flag {
  return {
    key,
    type: "boolean",
    variants: [
      { key: "on", value: true },
      { key: "off", value: false },
    ],
    defaultVariant: "off",
    enabled: true,
    salt: "s",
    rules: [],
    ...rest,
  };
}

function snapshot(...flags: Flag[]): Snapshot {
  return {
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags,
    experiments: [],
    holdouts: [],
    segments: [],
  };
}

function needs(...keys: string[]): Prerequisite[] {
  return keys.map((key) => ({ flag: key, variants: ["on", "off"] }));
}

function targeted(when: Condition): Snapshot {
  return snapshot(flag("f", { rules: [{ when, serve: "on" }] }));
}

/** Callers in JavaScript are bound by no type. */
function isContext(value: unknown): value is Context {
  return typeof value !== "symbol";
}

describe("prerequisites", () => {
  test("a diamond of 60 levels is decided once a flag, not once a path", () => {
    const flags = Array.from({ length: 60 }, (_, i) =>
      ["l", "r"].map((side) =>
        flag(`${side}${i}`, i === 0 ? {} : { prerequisites: needs(`l${i - 1}`, `r${i - 1}`) }),
      ),
    ).flat();
    const compiled = compile(snapshot(...flags));
    expect(evaluate(compiled, "l59", {}).reason).toBe("DEFAULT");
    expect(evaluateAll(compiled, {}).every(({ variant }) => variant === "off")).toBe(true);
  });

  test("a chain of 100 is followed, a longer one is an error, and none overflows", () => {
    const flags = Array.from({ length: 50_000 }, (_, i) =>
      flag(`f${i}`, i === 0 ? {} : { prerequisites: needs(`f${i - 1}`) }),
    );
    const compiled = compile(snapshot(...flags));
    expect(evaluate(compiled, "f100", {}).reason).toBe("DEFAULT");
    for (const key of ["f101", "f49999"]) {
      expect(evaluate(compiled, key, {})).toMatchObject({ reason: "ERROR", errorCode: "GENERAL" });
    }
  });
});

describe("hostile contexts", () => {
  const compiled = compile(
    targeted({
      $or: [{ "a.b.c": { $regex: "x" } }, { list: { $elemMatch: { $gt: 1 } } }, { a: { deep: 1 } }],
    }),
  );
  const cyclic: Context = { targetingKey: "u" };
  cyclic["a"] = cyclic;
  cyclic["list"] = [cyclic];
  let deep: Context = {};
  for (let i = 0; i < 100_000; i++) deep = { a: deep, b: deep, c: deep };

  test.each<[string, Context]>([
    ["cyclic", cyclic],
    ["nested 100,000 deep", { a: deep, list: [deep] }],
    [
      "1 MB strings",
      { a: { b: { c: "y".repeat(1_000_000) } }, targetingKey: "u".repeat(1_000_000) },
    ],
    ["a list of 100,000", { list: Array.from({ length: 100_000 }, () => Number.NaN) }],
    ["a sparse list", { list: Array.from({ length: 3 }) }],
    ["methods that throw", { a: { toString: null, valueOf: null }, list: [Symbol("x"), 1n] }],
    ["no prototype", Object.assign(Object.create(null), { a: 1 })],
  ])("%s: the default, without error", (_, context) => {
    expect(evaluate(compiled, "f", context)).toEqual({
      flag: "f",
      value: false,
      variant: "off",
      reason: "DEFAULT",
    });
  });

  test.each<[string, unknown]>([
    [
      "a getter that throws",
      {
        get a() {
          throw new Error("no");
        },
      },
    ],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          getOwnPropertyDescriptor() {
            throw new Error("no");
          },
        },
      ),
    ],
    ["null", null],
    ["undefined", undefined],
    ["a list", []],
    ["a string", "u"],
    ["a number", 7],
  ])("%s is an invalid context", (_, context) => {
    if (!isContext(context)) return;
    expect(evaluate(compiled, "f", context)).toMatchObject({
      reason: "ERROR",
      errorCode: "INVALID_CONTEXT",
    });
    expect(evaluateAll(compiled, context)).toHaveLength(1);
  });
});

describe("hostile conditions", () => {
  test("nesting beyond what a stack holds matches nothing, negated or not", () => {
    let condition: Condition = { a: 1 };
    for (let i = 0; i < 200_001; i++) condition = { $not: condition };
    const compiled = compile(targeted(condition));
    expect(evaluate(compiled, "f", { a: 1 }).variant).toBe("off");
    expect(evaluate(compiled, "f", { a: 2 }).variant).toBe("off");
  });

  test("no regular expression sees more than 4,096 characters", () => {
    const compiled = compile(targeted({ a: { $regex: "^x*$" } }));
    expect(evaluate(compiled, "f", { a: "x".repeat(4096) }).variant).toBe("on");
    expect(evaluate(compiled, "f", { a: "x".repeat(4097) }).variant).toBe("off");
  });

  test("a regular expression that is too large for the engine matches nothing", () => {
    const compiled = compile(targeted({ a: { $regex: "(?:(?:a{9999}|b){9999}|c){9999}" } }));
    expect(evaluate(compiled, "f", { a: "a".repeat(4000) }).variant).toBe("off");
  });
});

test("an evaluation belongs to the caller: changing it changes no later one", () => {
  const rules: Rule[] = [
    { unit: "targetingKey", split: [{ variant: "on", weightBasisPoints: 10_000 }] },
  ];
  const compiled = compile(snapshot(flag("f", { rules })));
  const first = evaluate(compiled, "f", { targetingKey: "u" });
  first.reason = "STALE";
  first.value = "changed";
  expect(evaluate(compiled, "f", { targetingKey: "u" })).toEqual({
    flag: "f",
    value: true,
    variant: "on",
    reason: "SPLIT",
  });
});

test("evaluateAll answers in the snapshot's order", () => {
  const compiled = compile(snapshot(flag("z"), flag("a"), flag("m", { enabled: false })));
  expect(evaluateAll(compiled, {}).map((one) => `${one.flag} ${one.reason}`)).toEqual([
    "z STATIC",
    "a STATIC",
    "m DISABLED",
  ]);
});

test("what is explained of a flag that does not exist", () => {
  expect(explain(compile(snapshot()), "f", {})).toEqual({
    evaluation: {
      flag: "f",
      reason: "ERROR",
      errorCode: "FLAG_NOT_FOUND",
      errorMessage: "there is no such flag",
    },
    steps: [],
  });
});
