/** What an experiment does to flags: it makes one of the same key, or puts its rule first in the one it names. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { Flag, Variant } from "../core/index.ts";
import { flagTypeOf } from "./flag-type.ts";

/** The body must have passed `checkExperiment`. Units outside the experiment get the control. */
export function flagOfExperiment(body: ExperimentBody, salt: string): Flag {
  const control = body.variants.find((variant) => variant.isControl);
  return {
    key: body.key,
    type: flagTypeOf(control?.value) ?? "object",
    variants: body.variants.flatMap(({ key, value }): Variant[] =>
      value === undefined ? [] : [{ key, value }],
    ),
    defaultVariant: control?.key ?? "",
    enabled: true,
    salt,
    rules: [{ experiment: body.key }],
  };
}

export function withExperimentRule(flag: Flag, experiment: string): Flag {
  return { ...flag, rules: [{ experiment }, ...flag.rules] };
}

/** The flag that a draft made, after the draft has changed: its variants follow, what others added to the flag stays. */
export function withVariantsOf(flag: Flag, before: ExperimentBody, body: ExperimentBody): Flag {
  const { type, variants, defaultVariant } = flagOfExperiment(body, flag.salt);
  const drafted = new Set([...before.variants, ...body.variants].map(({ key }) => key));
  const hadItsDefault = before.variants.some(
    ({ key, isControl }) => isControl && key === flag.defaultVariant,
  );
  return {
    ...flag,
    type,
    variants: [...variants, ...flag.variants.filter(({ key }) => !drafted.has(key))],
    defaultVariant: hadItsDefault ? defaultVariant : flag.defaultVariant,
  };
}
