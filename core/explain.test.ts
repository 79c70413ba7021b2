import { expect, test } from "vitest";
import { bucket, compile, explain } from "./index.ts";
import type { Experiment, Flag, Snapshot } from "./index.ts";

const flag: Flag = {
  key: "checkout",
  type: "string",
  variants: [
    { key: "v1", value: "one" },
    { key: "v2", value: "two" },
  ],
  defaultVariant: "v1",
  enabled: true,
  salt: "flag salt",
  overrides: { v2: ["tester"] },
  prerequisites: [{ flag: "cart", variants: ["v1"] }],
  rules: [
    { when: { plan: "free" }, serve: "v1" },
    { experiment: "checkout" },
    {
      unit: "session",
      rolloutBasisPoints: 5000,
      split: [{ variant: "v2", weightBasisPoints: 9000 }],
    },
  ],
};

const experiment: Experiment = {
  key: "checkout",
  hashVersion: 1,
  phase: 2,
  salt: "variant salt",
  unit: "targetingKey",
  control: "v1",
  variants: [
    { variant: "v1", weightBasisPoints: 5000 },
    { variant: "v2", weightBasisPoints: 5000 },
  ],
  targeting: { country: "US" },
  layer: "pages",
  layerSalt: "layer salt",
  slots: [[0, 5000]],
};

const snapshot: Snapshot = {
  formatVersion: 1,
  environment: "e",
  version: 1,
  flags: [
    flag,
    {
      ...flag,
      key: "cart",
      overrides: {},
      prerequisites: [],
      rules: [{ when: { a: 1 }, serve: "v2" }],
    },
  ],
  experiments: [experiment],
  holdouts: [
    { key: "global", salt: "holdout salt", unit: "targetingKey", basisPoints: 1000, layer: null },
  ],
  segments: [],
};

const compiled = compile(snapshot);

/** A unit whose buckets under the three salts of the experiment are as asked. */
function unitWith(asked: (holdout: number, layer: number) => boolean): string {
  for (let i = 0; ; i++) {
    const unit = `user-${i}`;
    if (asked(bucket("holdout salt", unit), bucket("layer salt", unit))) return unit;
  }
}

test("each step is told with what was hashed, down to the variant", () => {
  const unit = unitWith((holdout, layer) => holdout >= 1000 && layer < 5000);
  const { evaluation, steps } = explain(
    compiled,
    "checkout",
    { targetingKey: unit, country: "US" },
    0,
  );
  expect(evaluation.exposure).toMatchObject({ experiment: "checkout", phase: 2, unit });
  const hash = (salt: string) => ({ input: `${salt}:${unit}`, bucket: bucket(salt, unit) });
  expect(steps).toEqual([
    { flag: "checkout", step: "enabled", passed: true, because: "the flag is enabled" },
    { flag: "cart", step: "enabled", passed: true, because: "the flag is enabled" },
    { flag: "cart", rule: 0, step: "when", passed: false, because: "the condition does not match" },
    { flag: "cart", step: "default", passed: true, because: "no rule served" },
    {
      flag: "checkout",
      step: "prerequisite",
      passed: true,
      because: "the prerequisite cart is met",
    },
    { flag: "checkout", step: "override", passed: false, because: "the unit is not overridden" },
    {
      flag: "checkout",
      rule: 0,
      step: "when",
      passed: false,
      because: "the condition does not match",
    },
    {
      flag: "checkout",
      rule: 1,
      step: "when",
      passed: true,
      because: "there is no condition, or it matches",
    },
    {
      flag: "checkout",
      rule: 1,
      step: "running",
      passed: true,
      because: "the experiment checkout is running at this time",
    },
    {
      flag: "checkout",
      rule: 1,
      step: "targeting",
      passed: true,
      because: "there is no condition, or it matches",
    },
    {
      flag: "checkout",
      rule: 1,
      step: "unit",
      passed: true,
      because: "the unit is the context's targetingKey",
    },
    {
      flag: "checkout",
      rule: 1,
      step: "holdout",
      passed: true,
      because: `bucket ${bucket("holdout salt", unit)} is not in the holdout global`,
      hash: hash("holdout salt"),
    },
    {
      flag: "checkout",
      rule: 1,
      step: "traffic",
      passed: true,
      because: `bucket ${bucket("layer salt", unit)} is in the experiment's slots [0, 5000)`,
      hash: hash("layer salt"),
    },
    {
      flag: "checkout",
      rule: 1,
      step: "variant",
      passed: true,
      because: `bucket ${bucket("variant salt", unit)} is in the share of ${evaluation.variant}`,
      hash: hash("variant salt"),
    },
  ]);
});

/** The last step of each rule: why it did not serve, or that it did. */
function ends(context: { [attribute: string]: unknown }): string[] {
  const { steps } = explain(compiled, "checkout", context, 0);
  const own = steps.filter((step) => step.flag === "checkout" && step.rule !== undefined);
  const last = new Map(own.map(({ rule, step, passed }) => [rule, `${rule} ${step} ${passed}`]));
  return [...last.values()];
}

test("why a rule did not serve is its last step", () => {
  expect(ends({ plan: "free" })).toEqual(["0 when true"]);
  expect(ends({ country: "DE" })).toEqual(["0 when false", "1 targeting false", "2 unit false"]);
  expect(ends({ country: "US" })).toEqual(["0 when false", "1 unit false", "2 unit false"]);
  const heldOut = unitWith((holdout) => holdout < 1000);
  expect(ends({ country: "US", targetingKey: heldOut })).toContain("1 holdout false");
  const outside = unitWith((holdout, layer) => holdout >= 1000 && layer >= 5000);
  expect(ends({ country: "US", targetingKey: outside })).toContain("1 traffic false");
  const session = Array.from({ length: 500 }, (_, i) => `session-${i}`);
  const rolledOut = session.filter((id) => bucket("flag salt:rollout", id) < 5000);
  const beyond = rolledOut.find((id) => bucket("flag salt", id) >= 9000);
  const without = session.find((id) => bucket("flag salt:rollout", id) >= 5000);
  expect(ends({ session: beyond })).toContain("2 variant false");
  expect(ends({ session: without })).toContain("2 rollout false");
  expect(ends({ session: rolledOut.find((id) => id !== beyond) })).toContain("2 variant true");
});
