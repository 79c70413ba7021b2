import { describe, expect, test } from "vitest";
import {
  archived,
  definitionOf,
  draftOf,
  flagOf,
  startedOf,
  stateOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { checkFlagChange } from "./check-flag-change.ts";
import { checkFlag } from "./check-flag.ts";

const state = stateOf({
  flags: [
    definitionOf(storedFlagOf({ key: "new_cart" })),
    archived(storedFlagOf({ key: "retired" })),
  ],
  segments: [definitionOf({ key: "staff", values: [] })],
  experiments: [draftOf({ key: "in_theme", flag: "theme" }), draftOf({ key: "elsewhere" })],
});

const pointersOf = (more: object) => checkFlag(flagOf(more), state).map(({ pointer }) => pointer);

test("a flag that uses everything has nothing wrong", () => {
  const more = {
    offVariant: "light",
    overrides: { dark: ["user-7", "user-8"], light: ["user-9"] },
    prerequisites: [{ flag: "new_cart", variants: ["light", "dark"] }],
    rules: [
      { when: { id: { $inGroup: "staff" } }, serve: "dark" },
      { unit: "device", rollout: 50, split: [{ variant: "dark", weight: 33.34 }] },
      { split: ["light", "dark"].map((variant) => ({ variant, weight: 50 })) },
      { when: { country: "US" }, experiment: "in_theme" },
    ],
  };
  expect(pointersOf(more)).toEqual([]);
});

const light = { key: "light", value: "#fff" };

describe("names the place of", () => {
  test.each([
    ["a variant twice", { variants: [light, light] }, ["/variants/1/key"]],
    [
      "a value of another type",
      { variants: [light, { key: "dark", value: 0 }] },
      ["/variants/1/value"],
    ],
    ["an unknown default", { defaultVariant: "blue" }, ["/defaultVariant"]],
    ["an unknown off variant", { offVariant: "blue" }, ["/offVariant"]],
    ["an override to an unknown variant", { overrides: { blue: ["u"] } }, ["/overrides/blue"]],
    [
      "a unit overridden twice",
      { overrides: { dark: ["u"], light: ["v", "u"] } },
      ["/overrides/light/1"],
    ],
    [
      "an unknown prerequisite",
      { prerequisites: [{ flag: "no_such", variants: ["on"] }] },
      ["/prerequisites/0/flag"],
    ],
    [
      "an archived prerequisite",
      { prerequisites: [{ flag: "retired", variants: ["light"] }] },
      ["/prerequisites/0/flag"],
    ],
    [
      "itself as prerequisite",
      { prerequisites: [{ flag: "theme", variants: ["light"] }] },
      ["/prerequisites/0/flag"],
    ],
    [
      "a prerequisite's unknown variant",
      { prerequisites: [{ flag: "new_cart", variants: ["light", "on"] }] },
      ["/prerequisites/0/variants/1"],
    ],
    ["a rule that does nothing", { rules: [{ when: {} }] }, ["/rules/0"]],
    [
      "a rule that does two things",
      { rules: [{ serve: "dark" }, { serve: "dark", experiment: "in_theme" }] },
      ["/rules/1"],
    ],
    ["an unknown variant served", { rules: [{ serve: "blue" }] }, ["/rules/0/serve"]],
    [
      "an unknown variant in a split",
      { rules: [{ split: [{ variant: "blue", weight: 1 }] }] },
      ["/rules/0/split/0/variant"],
    ],
    [
      "a variant twice in a split",
      { rules: [{ split: [1, 2].map((weight) => ({ variant: "dark", weight })) }] },
      ["/rules/0/split/1/variant"],
    ],
    [
      "a split above 100",
      {
        rules: [
          {
            split: [
              { variant: "light", weight: 50 },
              { variant: "dark", weight: 50.01 },
            ],
          },
        ],
      },
      ["/rules/0/split"],
    ],
    [
      "a unit and a rollout without a split",
      { rules: [{ serve: "dark", unit: "device", rollout: 5 }] },
      ["/rules/0/unit", "/rules/0/rollout"],
    ],
    ["an unknown experiment", { rules: [{ experiment: "no_such" }] }, ["/rules/0/experiment"]],
    [
      "another flag's experiment",
      { rules: [{ experiment: "elsewhere" }] },
      ["/rules/0/experiment"],
    ],
    [
      "an unknown segment",
      { rules: [{ when: { id: { $inGroup: "nobody" } }, serve: "dark" }] },
      ["/rules/0/when/id/$inGroup"],
    ],
    [
      "a regular expression that could run forever",
      { rules: [{ when: { $not: { url: { $regex: "(x+x+)+y" } } }, serve: "dark" }] },
      ["/rules/0/when/$not/url/$regex"],
    ],
  ])("%s", (_name, more, pointers) => {
    expect(pointersOf(more)).toEqual(pointers);
  });
});

describe("a flag that is there already keeps what others hold on to:", () => {
  const variants = [
    { key: "light", weight: 50, isControl: true },
    { key: "dark", weight: 50 },
  ];
  const running = startedOf({ key: "in_theme", flag: "theme", variants });
  const draft = draftOf({ key: "in_theme", flag: "theme", variants });
  const before = storedFlagOf({ rules: [{ experiment: "in_theme" }] });
  const rules = [{ experiment: "in_theme" }];

  const held = (more: object, experiments = [running], flags = state.flags) =>
    checkFlagChange(flagOf({ rules, ...more }), before, { ...state, experiments, flags }).map(
      ({ pointer }) => pointer,
    );

  test("all else may change", () => {
    const blue = { key: "blue", value: "#00f" };
    const more = {
      enabled: false,
      defaultVariant: "dark",
      variants: [...flagOf().variants.toReversed(), blue],
      rules: [{ when: { country: "US" }, serve: "blue" }, ...rules],
    };
    expect(held(more)).toEqual([]);
  });

  test("the rule of an unfinished experiment", () => {
    expect(held({ rules: [] })).toEqual(["/rules"]);
    expect(held({ rules: [] }, [draft])).toEqual(["/rules"]);
    expect(held({ rules: [] }, [{ ...running, status: "completed" }])).toEqual([]);
  });

  test("the targeting of a started experiment's rule, which a phase keeps", () => {
    const targeted = { rules: [{ when: { country: "US" }, experiment: "in_theme" }] };
    expect(held(targeted)).toEqual(["/rules/0/when"]);
    expect(held({ rules: [{ when: {}, experiment: "in_theme" }] })).toEqual([]);
    expect(held(targeted, [draft])).toEqual([]);
  });

  test("its variants", () => {
    expect(held({ variants: [light], rules })).toEqual(["/variants"]);
    expect(held({ variants: [light], rules }, [{ ...running, status: "completed" }])).toEqual([]);
  });

  test("the values of a started one, which are frozen with its phase", () => {
    const changed = { variants: [light, { key: "dark", value: "#111" }] };
    expect(held(changed)).toEqual(["/variants/1/value"]);
    expect(held(changed, [{ ...running, status: "paused" }])).toEqual(["/variants/1/value"]);
    expect(held(changed, [draft])).toEqual([]);
  });

  test("the values of an experiment's own flag, which are the experiment's", () => {
    const own = draftOf({
      key: "theme",
      variants: [
        { key: "light", weight: 50, value: "#fff", isControl: true },
        { key: "dark", weight: 50, value: "#000" },
      ],
    });
    const changed = {
      variants: [light, { key: "dark", value: "#111" }],
      rules: [{ experiment: "theme" }],
    };
    expect(held(changed, [own])).toEqual(["/variants/1/value"]);
  });

  test("variants that are another flag's prerequisite", () => {
    const needy = storedFlagOf({
      key: "needy",
      prerequisites: [{ flag: "theme", variants: ["dark"] }],
    });
    expect(held({ variants: [light] }, [], [definitionOf(needy)])).toEqual(["/variants"]);
    expect(held({ variants: [light] }, [], [archived(needy)])).toEqual([]);
  });
});
