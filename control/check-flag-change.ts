/** What others hold on to in a flag that is there already: the experiments in it and the flags that have it as prerequisite. */

import type { FlagBody } from "../contracts/flag.ts";
import type { FieldError } from "../contracts/problem.ts";
import type { Flag } from "../core/index.ts";
import { equals } from "../core/values.ts";
import { inForce } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { flagKeyOf, isStarted, isUnfinished } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";

export function checkFlagChange(
  body: FlagBody,
  before: Flag,
  { flags, experiments }: EnvironmentState,
): FieldError[] {
  return [
    ...experiments
      .filter((record) => isUnfinished(record) && flagKeyOf(record.body) === before.key)
      .flatMap((record) => heldByExperiment(record, body, before)),
    ...inForce(flags).flatMap((other) => heldByPrerequisites(other.body, body, before)),
  ];
}

/** Its rule and its variants. The values of a started experiment are frozen with its phase, those of a flag's own experiment are the experiment's. */
function heldByExperiment(
  record: ExperimentRecord,
  { rules, variants }: FlagBody,
  before: Flag,
): FieldError[] {
  const { key } = record;
  const at = rules.findIndex(({ experiment }) => experiment === key);
  const hasItsRule = at !== -1;
  const ruleBefore = before.rules.find((rule) => "experiment" in rule && rule.experiment === key);
  const hasItsTargeting = equals(rules[at]?.when ?? {}, ruleBefore?.when ?? {});
  const ownsValues = isStarted(record) || record.body.flag === undefined;
  return [
    ...(hasItsRule
      ? []
      : [
          {
            pointer: "/rules",
            detail: `The experiment ${key} is ${record.status} in this flag: keep its rule until it is completed.`,
          },
        ]),
    ...(!hasItsRule || !isStarted(record) || hasItsTargeting
      ? []
      : [
          {
            pointer: `/rules/${at}/when`,
            detail: `The experiment ${key} is ${record.status} with other targeting, and a phase keeps its targeting: leave it as it is until that is completed.`,
          },
        ]),
    ...record.body.variants.flatMap(({ key: variant }): FieldError[] => {
      const index = variants.findIndex((each) => each.key === variant);
      const value = variants[index]?.value;
      const valueBefore = before.variants.find((each) => each.key === variant)?.value;
      if (value === undefined || valueBefore === undefined) {
        const detail = `The experiment ${key} is ${record.status} with the variant ${variant}: keep it until it is completed.`;
        return [{ pointer: "/variants", detail }];
      }
      if (!ownsValues || equals(value, valueBefore)) return [];
      const detail =
        record.status === "draft"
          ? `This value is the experiment ${key}'s: change it there.`
          : `The experiment ${key} is ${record.status} with this value: it stays until that is completed.`;
      return [{ pointer: `/variants/${index}/value`, detail }];
    }),
  ];
}

function heldByPrerequisites(other: Flag, { variants }: FlagBody, before: Flag): FieldError[] {
  const needed = (other.prerequisites ?? [])
    .filter(({ flag }) => flag === before.key)
    .flatMap((prerequisite) => prerequisite.variants);
  return needed
    .filter((variant) => !variants.some(({ key }) => key === variant))
    .map((variant) => ({
      pointer: "/variants",
      detail: `The flag ${other.key} has the variant ${variant} as prerequisite: keep it or change that flag first.`,
    }));
}
