/**
 * The order of decisions, written down once more as plainly as possible, without compiling and for one flag at a time: random
 * snapshots that could be published are decided the same way by both.
 */
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  property,
  record,
  tuple,
  uniqueArray,
  oneof,
} from "fast-check";
import type { Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { bucket, compile, evaluate, evaluateAll, matches } from "./index.ts";
import type {
  Condition,
  Context,
  Evaluation,
  Experiment,
  Exposure,
  Flag,
  Holdout,
  Rule,
  Slot,
  Snapshot,
  WeightedVariant,
} from "./index.ts";

type Decision = Pick<Evaluation, "value" | "variant" | "reason" | "errorCode" | "exposure">;

function unitOf(context: Context, kind: string): string | null {
  const id = context[kind];
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  return typeof id === "string" && id !== "" ? id : null;
}

function drawn(weights: readonly WeightedVariant[], at: number): string | null {
  let end = 0;
  for (const { variant, weightBasisPoints } of weights) {
    end += weightBasisPoints;
    if (at < end) return variant;
  }
  return null;
}

function naively(snapshot: Snapshot, key: string, context: Context, nowMs: number): Decision {
  const flag = snapshot.flags.find((one) => one.key === key);
  if (flag === undefined) return { reason: "ERROR", errorCode: "FLAG_NOT_FOUND" };
  const serve = (variant: string, reason: Evaluation["reason"], exposure?: Exposure): Decision => ({
    value: flag.variants.find((one) => one.key === variant)?.value ?? null,
    variant,
    reason,
    ...(exposure && { exposure }),
  });
  const { offVariant, overrides = {}, prerequisites = [], rules } = flag;
  const off = (): Decision =>
    offVariant === undefined ? { reason: "DISABLED" } : serve(offVariant, "DISABLED");

  if (!flag.enabled) return off();
  for (const { flag: needed, variants } of prerequisites) {
    const { variant } = naively(snapshot, needed, context, nowMs);
    if (variant === undefined || !variants.includes(variant)) return off();
  }
  const target = unitOf(context, "targetingKey");
  for (const [variant, units] of Object.entries(overrides)) {
    if (target !== null && units.includes(target)) return serve(variant, "TARGETING_MATCH");
  }

  const segments = Object.fromEntries(snapshot.segments.map(({ key, values }) => [key, values]));
  const met = (condition: Condition | undefined) =>
    condition === undefined || matches(condition, context, segments);
  /** Nothing about the context or the unit was asked so far. */
  const isStatic = Object.values(overrides).flat().length === 0 && prerequisites.length === 0;
  let needsTarget = false;
  for (const [index, rule] of rules.entries()) {
    if (!met(rule.when)) continue;
    if ("serve" in rule) {
      const always = isStatic && index === 0 && rule.when === undefined;
      return serve(rule.serve, always ? "STATIC" : "TARGETING_MATCH");
    }
    const running =
      "split" in rule ? null : snapshot.experiments.find((one) => one.key === rule.experiment);
    if (running === undefined) continue;
    if (running !== null) {
      if (nowMs < (running.startAt ?? 0) || nowMs >= (running.endAt ?? Infinity)) continue;
      if (!met(running.targeting)) continue;
    }
    const kind = "split" in rule ? rule.unit : (running?.unit ?? "");
    const unit = unitOf(context, kind);
    needsTarget ||= unit === null && kind === "targetingKey";
    if (unit === null) continue;
    if ("split" in rule) {
      if (bucket(`${flag.salt}:rollout`, unit) >= (rule.rolloutBasisPoints ?? 10_000)) continue;
      const variant = drawn(rule.split, bucket(flag.salt, unit));
      if (variant !== null) return serve(variant, "SPLIT");
    } else if (running !== null) {
      const { experiment } = rule;
      const held = snapshot.holdouts.some((holdout) => {
        const concerned = holdout.layer === null || holdout.layer === running.layer;
        const heldUnit = unitOf(context, holdout.unit);
        return (
          concerned && heldUnit !== null && bucket(holdout.salt, heldUnit) < holdout.basisPoints
        );
      });
      const place = bucket(running.layerSalt, unit);
      if (held || !running.slots.some(([start, end]) => place >= start && place < end)) continue;
      const variant = drawn(running.variants, bucket(running.salt, unit));
      if (variant === null) continue;
      return serve(variant, "SPLIT", { experiment, phase: running.phase, variant, kind, unit });
    }
  }
  const nothingAsked = isStatic && rules.length === 0;
  const byDefault = serve(flag.defaultVariant, nothingAsked ? "STATIC" : "DEFAULT");
  return needsTarget ? { ...byDefault, errorCode: "TARGETING_KEY_MISSING" } : byDefault;
}

const variants = ["a", "b", "c"];
const variant = constantFrom(...variants);
const kind = constantFrom("targetingKey", "user", "session");
const flagKeys = ["f0", "f1", "f2", "f3"];
const experimentKey = constantFrom("x", "y", "z");
const salt = integer().map(String);
const basisPoints = integer({ min: 0, max: 10_000 });
const condition = constantFrom<Condition[]>(
  { plan: "pro" },
  { age: { $gt: 3 } },
  { user: { $inGroup: "staff" } },
  { plan: { $exists: false } },
  {},
);
const layer = constantFrom("one", "two", null);

/** Summing to 10000 over all three, of which a split may leave some out. */
const weights = tuple(basisPoints, basisPoints, constantFrom(variants, variants.toReversed())).map(
  ([one, two, order]): WeightedVariant[] => {
    const [first, second] = [Math.min(one, two), Math.max(one, two)];
    const each = [first, second - first, 10_000 - second];
    return order.map((name, i) => ({ variant: name, weightBasisPoints: each[i] ?? 0 }));
  },
);
const split = tuple(weights, integer({ min: 1, max: 3 })).map(([all, some]) => all.slice(0, some));

const rule: Arbitrary<Rule> = oneof(
  record({ when: condition, serve: variant }, { requiredKeys: ["serve"] }),
  record({ experiment: experimentKey }),
  record({ when: condition, experiment: experimentKey }, { requiredKeys: ["experiment"] }),
  record(
    { when: condition, unit: kind, rolloutBasisPoints: basisPoints, split },
    { requiredKeys: ["unit", "split"] },
  ),
);

/** Needs only flags before it, so that there is no cycle. */
function flagAt(index: number): Arbitrary<Flag> {
  const required = record({
    flag: constantFrom("f0", ...flagKeys.slice(1, index)),
    variants: uniqueArray(variant, { minLength: 1, maxLength: 3 }),
  });
  return record(
    {
      key: constant(flagKeys[index] ?? ""),
      type: constant("string" as const),
      variants: constant(variants.map((key) => ({ key, value: `${key} of ${index}` }))),
      defaultVariant: variant,
      offVariant: variant,
      enabled: oneof({ weight: 5, arbitrary: constant(true) }, boolean()),
      salt,
      overrides: dictionary(variant, constantFrom([], ["u1"], ["7"]), { maxKeys: 1 }),
      prerequisites: index === 0 ? constant([]) : array(required, { maxLength: 2 }),
      rules: array(rule, { maxLength: 4 }),
    },
    {
      requiredKeys: ["key", "type", "variants", "defaultVariant", "enabled", "salt", "rules"],
    },
  );
}

const slot = tuple(basisPoints, basisPoints).map(([one, two]): Slot => [
  Math.min(one, two),
  Math.max(one, two),
]);
const experiment: Arbitrary<Experiment> = record(
  {
    key: experimentKey,
    hashVersion: constant(1 as const),
    phase: integer({ min: 1, max: 3 }),
    salt,
    unit: kind,
    control: variant,
    variants: weights,
    targeting: condition,
    layer,
    layerSalt: salt,
    slots: array(slot, { minLength: 1, maxLength: 3 }),
    startAt: integer({ min: 0, max: 60 }),
    endAt: integer({ min: 40, max: 101 }),
  },
  {
    requiredKeys: [
      ...(["key", "hashVersion", "phase", "salt", "unit", "control", "variants"] as const),
      ...(["layer", "layerSalt", "slots"] as const),
    ],
  },
);
const holdout: Arbitrary<Holdout> = record({
  key: salt,
  salt,
  unit: kind,
  basisPoints: integer({ min: 0, max: 4_000 }),
  layer,
});

const snapshot: Arbitrary<Snapshot> = record({
  formatVersion: constant(1 as const),
  environment: constant("e"),
  version: constant(1),
  flags: tuple(...flagKeys.map((_, index) => flagAt(index))),
  experiments: uniqueArray(experiment, { minLength: 2, maxLength: 3, selector: ({ key }) => key }),
  holdouts: array(holdout, { maxLength: 2 }),
  segments: constant([{ key: "staff", values: ["u1", "u2", 7] }]),
});

const unit = oneof(
  { weight: 4, arbitrary: integer({ min: 0, max: 5_000 }).map((i) => `ü${i}`) },
  constantFrom("u1", "u2", "", 7, 1.5, null, Number.NaN, true),
);
const context: Arbitrary<Context> = record(
  {
    targetingKey: unit,
    user: unit,
    session: unit,
    plan: constantFrom("pro", "free"),
    age: integer({ min: 0, max: 8 }),
  },
  { requiredKeys: [] },
);

function withoutWording({
  flag: _flag,
  errorMessage: _message,
  ...decision
}: Evaluation): Decision {
  return decision;
}

test("flags are decided as a naive reading of the order of decisions decides them", () => {
  const seen = new Map<string, number>();
  assert(
    property(snapshot, context, integer({ min: 0, max: 100 }), (published, asked, nowMs) => {
      const compiled = compile(published);
      for (const key of [...flagKeys, "no such"]) {
        const decision = withoutWording(evaluate(compiled, key, asked, nowMs));
        expect(decision).toEqual(naively(published, key, asked, nowMs));
        const { reason, errorCode, exposure } = decision;
        const outcome = errorCode ?? (exposure === undefined ? reason : "exposed");
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
      expect(evaluateAll(compiled, asked, nowMs).map(withoutWording)).toEqual(
        flagKeys.map((key) => naively(published, key, asked, nowMs)),
      );
    }),
    { numRuns: 4_000 },
  );
  // None of it is true for want of cases.
  const outcomes = ["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "exposed"];
  for (const outcome of [...outcomes, "FLAG_NOT_FOUND", "TARGETING_KEY_MISSING"]) {
    expect([outcome, (seen.get(outcome) ?? 0) > 100]).toEqual([outcome, true]);
  }
});
