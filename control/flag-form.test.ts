import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  option,
  property,
  record,
} from "fast-check";
import { expect, test } from "vitest";
import { flagOf } from "../test/control-state.ts";
import { authoredFlag, storedFlag } from "./flag-form.ts";

test("percentages are kept as whole basis points; a split's unit is the targetingKey unless another is named", () => {
  const flag = flagOf({
    rules: [
      { when: { a: 1 }, serve: "dark" },
      {
        rollout: 29.07,
        split: [
          { variant: "light", weight: 33.33 },
          { variant: "dark", weight: 0.01 },
        ],
      },
      { experiment: "x" },
    ],
  });
  expect(storedFlag(flag, "s")).toEqual({
    key: "theme",
    type: "string",
    variants: flag.variants,
    defaultVariant: "light",
    enabled: true,
    salt: "s",
    rules: [
      { when: { a: 1 }, serve: "dark" },
      {
        unit: "targetingKey",
        rolloutBasisPoints: 2_907,
        split: [
          { variant: "light", weightBasisPoints: 3_333 },
          { variant: "dark", weightBasisPoints: 1 },
        ],
      },
      { experiment: "x" },
    ],
  });
});

test("whatever was authored comes back as it was", () => {
  const percent = integer({ min: 0, max: 10_000 }).map((basisPoints) => basisPoints / 100);
  const when = option(constantFrom({}, { country: "US" }), { nil: undefined });
  const optional = <T>(value: T | undefined, name: string) =>
    value === undefined ? {} : { [name]: value };
  const split = record({
    when,
    unit: constantFrom("targetingKey", "device"),
    rollout: option(percent, { nil: undefined }),
    split: array(record({ variant: constantFrom("light", "dark"), weight: percent }), {
      minLength: 1,
      maxLength: 2,
    }),
  }).map(({ when, rollout, ...rest }) => ({
    ...optional(when, "when"),
    ...optional(rollout, "rollout"),
    ...rest,
  }));
  const rules = array(split, { maxLength: 5 });
  assert(
    property(rules, boolean(), (rules, enabled) => {
      const flag = flagOf({ rules, enabled, offVariant: "dark", overrides: { dark: ["u"] } });
      expect(authoredFlag(storedFlag(flag, "s"))).toEqual({ ...flag, salt: "s" });
    }),
    { seed: 20_260_114 },
  );
});
