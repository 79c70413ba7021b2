/** What counts in an environment by D1 CONTROL, at least as new as what any consumer counts by; each is read once. */

import { buildCountingPlan } from "../control/build-snapshot.ts";
import { compilePlan } from "../counting/plan.ts";
import type { CompiledPlan } from "../counting/plan.ts";
import type { DefinitionStore } from "./definition-store.ts";

/** For the work of one invocation. An environment that is not there counts nothing. */
export function currentPlans(
  definitions: Pick<DefinitionStore, "state">,
): (environment: string) => Promise<CompiledPlan> {
  const plans = new Map<string, CompiledPlan>();
  return async (environment) => {
    const known = plans.get(environment);
    if (known !== undefined) return known;
    const state = await definitions.state(environment);
    const plan = compilePlan(
      state === null
        ? { formatVersion: 1, environment, version: 0, outcomes: [], experiments: [] }
        : buildCountingPlan(state),
    );
    plans.set(environment, plan);
    return plan;
  };
}
