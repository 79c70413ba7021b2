import { assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, evaluate } from "../core/index.ts";
import type { Flag } from "../core/index.ts";
import { storedFlagOf } from "../test/control-state.ts";
import { movedUnits } from "./moved-units.ts";

const split = (...weights: [string, number][]) =>
  weights.map(([variant, weight]) => ({ variant, weight }));
const flagWith = (...rules: object[]) => storedFlagOf({ rules });
const halves = { split: split(["light", 50], ["dark", 50]) };

describe("nobody is moved, and nothing said,", () => {
  test.each([
    ["when nothing changes", flagWith(halves), flagWith(halves)],
    [
      "when a rollout grows",
      flagWith({ ...halves, rollout: 10 }),
      flagWith({ ...halves, rollout: 90 }),
    ],
    ["when a rollout ends", flagWith({ ...halves, rollout: 10 }), flagWith(halves)],
    [
      "when the last share grows",
      flagWith({ split: split(["light", 10]) }),
      flagWith({ split: split(["light", 20]) }),
    ],
    ["when a rule is new", flagWith(halves), flagWith({ when: { a: 1 }, ...halves }, halves)],
    [
      "when rules change places",
      flagWith(halves, { serve: "dark" }),
      flagWith({ serve: "dark" }, halves),
    ],
  ])("%s", (_name, before, after) => {
    expect(movedUnits(before, after)).toEqual([]);
  });
});

test.each([
  [
    flagWith(halves),
    flagWith({ split: split(["light", 60], ["dark", 40]) }),
    "/rules/0/split: the changed weights move 10 %",
  ],
  [
    flagWith(halves),
    flagWith({ split: split(["dark", 50], ["light", 50]) }),
    "/rules/0/split: the changed weights move 100 %",
  ],
  [
    flagWith({ serve: "dark", when: { a: 1 } }, halves),
    flagWith({ serve: "dark", when: { a: 1 } }, { split: split(["light", 49.99]) }),
    "/rules/1/split: the changed weights move 50.01 %",
  ],
  [
    flagWith({ ...halves, rollout: 50 }),
    flagWith({ ...halves, rollout: 20.5 }),
    "/rules/0/rollout: 29.5 % of the units drop out",
  ],
  [flagWith(halves), flagWith({ ...halves, unit: "device" }), "/rules/0/unit: another unit"],
])("is said exactly (%#)", (before, after, warning) => {
  expect(movedUnits(before, after)).toEqual([expect.stringContaining(warning)]);
});

test("what is said is what evaluation does, within sampling error over 20,000 units", () => {
  const units = Array.from({ length: 20_000 }, (_, i) => `unit-${i}`);
  const variantsOf = (flag: Flag) => {
    const compiled = compile({
      formatVersion: 1,
      environment: "e",
      version: 1,
      flags: [{ ...flag, defaultVariant: "light" }],
      experiments: [],
      holdouts: [],
      segments: [],
    });
    return units.map((targetingKey) => {
      const { reason, variant } = evaluate(compiled, "theme", { targetingKey });
      return reason === "SPLIT" ? variant : undefined;
    });
  };
  const share = integer({ min: 0, max: 50 });
  assert(
    property(share, share, share, share, (a, b, c, d) => {
      const before = flagWith({ split: split(["light", a], ["dark", b]) });
      const after = flagWith({ split: split(["light", c], ["dark", d]) });
      const [now, then] = [variantsOf(after), variantsOf(before)];
      const moved = then.filter((variant, i) => variant !== undefined && variant !== now[i]);
      const [warning] = movedUnits(before, after);
      const said = Number(/move ([\d.]+) %/.exec(warning ?? "")?.[1] ?? 0);
      expect(Math.abs(moved.length / units.length - said / 100)).toBeLessThan(0.02);
    }),
    { numRuns: 10, seed: 20_260_114 },
  );
});

test("a rule that comes before an experiment's takes units out of it, and says so", () => {
  const its = { experiment: "x" };
  const served = { when: { plan: "team" }, serve: "dark" };
  expect(movedUnits(flagWith(its), flagWith(served, its))).toEqual([
    "/rules/0: units that this rule serves leave the experiment x; those that it has exposed stay counted in it.",
  ]);
  expect(movedUnits(flagWith(served, its), flagWith(served, its))).toEqual([]);
  expect(movedUnits(flagWith(its), flagWith(its, served))).toEqual([]);
  expect(movedUnits(flagWith(), flagWith(served, its))).toEqual([]);
});

test("another type is told", () => {
  const before = flagWith();
  expect(movedUnits(before, { ...before, type: "number" })).toEqual([
    "/type: whoever reads this flag as a string gets their own default from now on.",
  ]);
});
