/** What the shape of a flag's body cannot say: what its parts say about each other, and about the rest of the environment. */

import type { FlagBody, RuleBody } from "../contracts/flag.ts";
import type { FieldError } from "../contracts/problem.ts";
import { conditionErrors } from "./check-condition.ts";
import { pageEditsErrors } from "./check-page-edits.ts";
import { duplicates } from "./duplicates.ts";
import { bodyOf } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { flagKeyOf } from "./experiment.ts";
import { flagTypeOf } from "./flag-type.ts";

export function checkFlag(body: FlagBody, state: EnvironmentState): FieldError[] {
  return [
    ...checkVariants(body),
    ...[body.defaultVariant].flatMap(unknownVariant(body, () => "/defaultVariant")),
    ...given(body.offVariant).flatMap(unknownVariant(body, () => "/offVariant")),
    ...checkOverrides(body),
    ...checkPrerequisites(body, state),
    ...body.rules.flatMap((rule, index) => checkRule(rule, `/rules/${index}`, body, state)),
  ];
}

function checkVariants({ type, variants }: FlagBody): FieldError[] {
  return [
    ...duplicates(
      variants.map(({ key }) => key),
      (index) => `/variants/${index}/key`,
      "Each variant has a key of its own",
    ),
    ...variants.flatMap(({ value }, index) =>
      flagTypeOf(value) === type
        ? pageEditsErrors(value, `/variants/${index}/value`)
        : [
            {
              pointer: `/variants/${index}/value`,
              detail: `The flag's type is ${type}, and so must this value's be.`,
            },
          ],
    ),
  ];
}

/** Complains about variants that the flag does not have. */
function unknownVariant({ variants }: FlagBody, pointer: (index: number) => string) {
  return (variant: string, index: number): FieldError[] =>
    variants.some(({ key }) => key === variant)
      ? []
      : [
          {
            pointer: pointer(index),
            detail: `There is no variant ${variant}; there are ${variants.map(({ key }) => key).join(", ")}.`,
          },
        ];
}

function checkOverrides(body: FlagBody): FieldError[] {
  const overrides = Object.entries(body.overrides ?? {});
  const units = overrides.flatMap(([variant, ids]) =>
    ids.map((unit, index) => ({ unit, pointer: `/overrides/${variant}/${index}` })),
  );
  return [
    ...overrides.flatMap(([variant]) =>
      unknownVariant(body, () => `/overrides/${variant}`)(variant, 0),
    ),
    ...duplicates(
      units.map(({ unit }) => unit),
      (index) => units[index]?.pointer ?? "/overrides",
      "A unit has one override",
    ),
  ];
}

function checkPrerequisites({ key, prerequisites }: FlagBody, state: EnvironmentState) {
  return (prerequisites ?? []).flatMap(({ flag, variants }, index): FieldError[] => {
    const pointer = `/prerequisites/${index}`;
    if (flag === key) {
      return [{ pointer: `${pointer}/flag`, detail: "A flag cannot be its own prerequisite." }];
    }
    const needed = bodyOf(state.flags, flag);
    return needed === null
      ? [{ pointer: `${pointer}/flag`, detail: `There is no flag ${flag}.` }]
      : variants.flatMap((variant, at) =>
          needed.variants.some((known) => known.key === variant)
            ? []
            : [
                {
                  pointer: `${pointer}/variants/${at}`,
                  detail: `The flag ${flag} has no variant ${variant}.`,
                },
              ],
        );
  });
}

function checkRule(
  rule: RuleBody,
  pointer: string,
  body: FlagBody,
  state: EnvironmentState,
): FieldError[] {
  const { when, serve, unit, rollout, split, experiment } = rule;
  const outcomes = [serve, split, experiment].filter((outcome) => outcome !== undefined);
  if (outcomes.length !== 1) {
    return [{ pointer, detail: "A rule has one of serve, split and experiment." }];
  }
  return [
    ...given(when).flatMap((condition) => conditionErrors(condition, `${pointer}/when`, state)),
    ...given(serve).flatMap(unknownVariant(body, () => `${pointer}/serve`)),
    ...(split === undefined
      ? splitOnly({ unit, rollout }, pointer)
      : checkSplit(split, `${pointer}/split`, body)),
    ...given(experiment).flatMap((key) =>
      checkExperimentRule(key, `${pointer}/experiment`, body, state),
    ),
  ];
}

function given<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function splitOnly(fields: { [field: string]: unknown }, pointer: string): FieldError[] {
  return Object.entries(fields).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [{ pointer: `${pointer}/${field}`, detail: `Only a split has a ${field}; leave it out.` }],
  );
}

function checkSplit(
  split: NonNullable<RuleBody["split"]>,
  pointer: string,
  body: FlagBody,
): FieldError[] {
  const variants = split.map(({ variant }) => variant);
  const sum = split.reduce((total, { weight }) => total + Math.round(weight * 100), 0);
  return [
    ...variants.flatMap(unknownVariant(body, (index) => `${pointer}/${index}/variant`)),
    ...duplicates(
      variants,
      (index) => `${pointer}/${index}/variant`,
      "A variant is in a split once",
    ),
    ...(sum > 10_000
      ? [
          {
            pointer,
            detail: `The weights sum to ${sum / 100}; they are percentages and sum to at most 100.`,
          },
        ]
      : []),
  ];
}

/** An experiment is a rule of one flag, whose variants it assigns. */
function checkExperimentRule(
  experiment: string,
  pointer: string,
  { key }: FlagBody,
  { experiments }: EnvironmentState,
): FieldError[] {
  const record = experiments.find((each) => each.key === experiment);
  if (record === undefined) return [{ pointer, detail: `There is no experiment ${experiment}.` }];
  const flag = flagKeyOf(record.body);
  return flag === key
    ? []
    : [{ pointer, detail: `The experiment ${experiment} is a rule of the flag ${flag}.` }];
}
