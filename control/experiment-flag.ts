/** What creating an experiment does to flags: makes one of the same key, or puts its rule first in the one it names. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { Flag, Variant } from "../core/index.ts";
import { flagTypeOf } from "./check-experiment.ts";

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
