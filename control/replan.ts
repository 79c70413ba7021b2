/**
 * Another number of units for a running phase. The information scale stays that of the first plan, and what was spent stays spent; only what is
 * spent from now on follows the new number. Whoever does not vouch that the effect had no part in it makes the phase exploratory.
 */

import type { PhasePlan } from "../contracts/phase.ts";
import { ok, refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";
import { currentPhase, isStarted } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { withPhase } from "./lifecycle.ts";

export interface Replanning {
  maximumSampleSize: number;
  blinded: boolean;
  reason: string;
}

/** Units over all variants at which the plan ends, as last planned. */
export function plannedUnits({ maximumSampleSize, replanned }: PhasePlan): number {
  return replanned?.at(-1)?.maximumSampleSize ?? maximumSampleSize;
}

export function replan(
  state: EnvironmentState,
  key: string,
  { maximumSampleSize, blinded, reason }: Replanning,
  at: string,
): Result<Decision<ExperimentRecord>> {
  const before = state.experiments.find((record) => record.key === key);
  if (before === undefined) return refuse("not-found", `There is no experiment ${key}.`);
  const phase = currentPhase(before);
  if (!isStarted(before) || phase === null) {
    const detail = `${key} is ${before.status}; only a running or paused experiment is planned anew, a draft is replaced.`;
    return refuse("not-possible", detail);
  }
  if (plannedUnits(phase.plan) === maximumSampleSize) {
    return refuse("not-possible", `${key} is planned for ${maximumSampleSize} units already.`);
  }
  const replanned = withPhase(before, before.status, (each) => ({
    ...each,
    exploratory: each.exploratory || !blinded,
    plan: {
      ...each.plan,
      replanned: [
        ...(each.plan.replanned ?? []),
        { atMs: Date.parse(at), maximumSampleSize, blinded },
      ],
    },
  }));
  const record = { ...replanned, version: before.version + 1, updatedAt: at };
  return ok({
    action: "replan",
    reason,
    writes: [{ entity: "experiment", record }],
    value: record,
  });
}
