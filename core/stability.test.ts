/** Who stays where when a configuration changes: what was promised to units that are already in. */
import { expect, test } from "vitest";
import { compile, evaluate } from "./index.ts";
import type { Experiment, Flag, Holdout, Rule, Slot, Snapshot, SplitRule } from "./index.ts";

const units = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);

const even = [
  { variant: "a", weightBasisPoints: 5000 },
  { variant: "b", weightBasisPoints: 5000 },
];

function experiment(key: string, slots: Slot[]): Experiment {
  return {
    key,
    hashVersion: 1,
    phase: 1,
    salt: `salt of ${key}`,
    unit: "targetingKey",
    control: "a",
    variants: even,
    layer: "layer",
    layerSalt: "salt of layer",
    slots,
  };
}

function flag(key: string, rules: Rule[]): Flag {
  return {
    key,
    type: "string",
    variants: [
      { key: "a", value: "A" },
      { key: "b", value: "B" },
    ],
    defaultVariant: "a",
    enabled: true,
    salt: `salt of ${key}`,
    rules,
  };
}

function snapshot(
  flags: Flag[],
  experiments: Experiment[] = [],
  holdouts: Holdout[] = [],
): Snapshot {
  return {
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags,
    experiments,
    holdouts,
    segments: [],
  };
}

/** By unit, the variant that a rule assigned by its split; units that no split reached are absent. */
function assigned(config: Snapshot, key: string): Map<string, string> {
  const compiled = compile(config);
  const variants = new Map<string, string>();
  for (const targetingKey of units) {
    const { reason, variant } = evaluate(compiled, key, { targetingKey });
    if (reason === "SPLIT" && variant !== undefined) variants.set(targetingKey, variant);
  }
  return variants;
}

/** The units of `before` that `after` serves otherwise, or not at all. */
function moved(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...before].filter(([unit, variant]) => after.get(unit) !== variant).map(([unit]) => unit);
}

test("traffic raised by appending slots only adds units, and moves nobody", () => {
  const rules = [flag("x", [{ experiment: "x" }])];
  let before = assigned(snapshot(rules, [experiment("x", [[2000, 3000]])]), "x");
  for (const slots of [
    [
      [2000, 3000],
      [5000, 6000],
    ],
    [
      [2000, 3000],
      [5000, 6000],
      [0, 2000],
    ],
    [
      [2000, 3000],
      [5000, 6000],
      [0, 2000],
      [3000, 5000],
      [6000, 10_000],
    ],
  ] satisfies Slot[][]) {
    const after = assigned(snapshot(rules, [experiment("x", slots)]), "x");
    expect(moved(before, after)).toEqual([]);
    expect(after.size).toBeGreaterThan(before.size);
    before = after;
  }
  expect(before.size).toBe(units.length);
});

test("another experiment that starts or stops in the layer moves nobody, and nobody is in both", () => {
  const flags = [flag("x", [{ experiment: "x" }]), flag("y", [{ experiment: "y" }])];
  const x = experiment("x", [[0, 4000]]);
  const y = experiment("y", [[4000, 9000]]);
  const alone = assigned(snapshot(flags, [x]), "x");
  const together = snapshot(flags, [x, y]);
  expect(moved(alone, assigned(together, "x"))).toEqual([]);
  expect(assigned(together, "x").size).toBe(alone.size);
  const others = assigned(together, "y");
  expect(others.size).toBeGreaterThan(0);
  expect([...alone.keys()].filter((unit) => others.has(unit))).toEqual([]);
});

test("a rule added after a split, or before it for other contexts, moves nobody", () => {
  const split: SplitRule = { unit: "targetingKey", rolloutBasisPoints: 6000, split: even };
  const before = assigned(snapshot([flag("f", [split])]), "f");
  const rules: Rule[] = [
    { when: { plan: "pro" }, serve: "b" },
    { experiment: "stopped" },
    split,
    { when: { country: "US" }, serve: "b" },
  ];
  const after = assigned(snapshot([flag("f", rules)]), "f");
  expect(moved(before, after)).toEqual([]);
  expect(after.size).toBe(before.size);
});

test("a rollout that grows only adds units, and moves nobody", () => {
  let before = new Map<string, string>();
  for (const rolloutBasisPoints of [1, 100, 1000, 5000, 9999, 10_000]) {
    const rule: SplitRule = { unit: "targetingKey", rolloutBasisPoints, split: even };
    const after = assigned(snapshot([flag("f", [rule])]), "f");
    expect(moved(before, after)).toEqual([]);
    expect(after.size).toBeGreaterThanOrEqual(before.size);
    before = after;
  }
  expect(before.size).toBe(units.length);
});

test("a split that hands out less than everything gives no unit another variant when its last share grows", () => {
  const [before, after] = [1000, 3000].map((weightBasisPoints) => {
    const rule: SplitRule = { unit: "targetingKey", split: [{ variant: "b", weightBasisPoints }] };
    return assigned(snapshot([flag("f", [rule])]), "f");
  });
  expect(before?.size).toBeGreaterThan(0);
  expect(moved(before ?? new Map(), after ?? new Map())).toEqual([]);
});

test("a holdout only takes units out", () => {
  const flags = [flag("x", [{ experiment: "x" }])];
  const experiments = [experiment("x", [[0, 10_000]])];
  const before = assigned(snapshot(flags, experiments), "x");
  const holdout: Holdout = {
    key: "h",
    salt: "h",
    unit: "targetingKey",
    basisPoints: 2000,
    layer: null,
  };
  const after = assigned(snapshot(flags, experiments, [holdout]), "x");
  expect(moved(after, before)).toEqual([]);
  expect(after.size).toBeLessThan(before.size);
  expect(after.size).toBeGreaterThan(0);
});

test("other salts draw anew", () => {
  const one = experiment("x", [[0, 10_000]]);
  const flags = [flag("x", [{ experiment: "x" }])];
  const before = assigned(snapshot(flags, [one]), "x");
  const after = assigned(snapshot(flags, [{ ...one, salt: "another" }]), "x");
  expect(moved(before, after).length).toBeGreaterThan(units.length / 3);
});
