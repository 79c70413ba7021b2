/** Who refers to a definition, in words: as long as anybody does, it must stay. Finished experiments hold nothing. */

import type { Json } from "../core/index.ts";
import { flagKeyOf, isUnfinished } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { inForce } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";

export function usersOfFlag(key: string, state: EnvironmentState): string[] {
  return [
    ...unfinished(state, ({ body }) => flagKeyOf(body) === key),
    ...inForce(state.flags).flatMap(({ body }) =>
      body.prerequisites?.some(({ flag }) => flag === key) ? [`the flag ${body.key}`] : [],
    ),
  ];
}

export function usersOfMetric(key: string, state: EnvironmentState): string[] {
  return unfinished(state, ({ body: { metrics } }) =>
    [...metrics.primary, ...metrics.secondary, ...metrics.guardrail.map((g) => g.metric)].includes(
      key,
    ),
  );
}

export function usersOfLayer(key: string, state: EnvironmentState): string[] {
  return [
    ...unfinished(state, ({ body }) => body.layer === key),
    ...inForce(state.holdouts).flatMap(({ body }) =>
      body.layer === key ? [`the holdout ${body.key}`] : [],
    ),
  ];
}

export function usersOfSegment(key: string, state: EnvironmentState): string[] {
  return [
    ...unfinished(state, ({ body, phases }) =>
      [body.targeting, ...phases.map(({ targeting }) => targeting)].some((condition) =>
        namesSegment(condition, key),
      ),
    ),
    ...inForce(state.flags).flatMap(({ body }) =>
      body.rules.some(({ when }) => namesSegment(when, key)) ? [`the flag ${body.key}`] : [],
    ),
  ];
}

function unfinished(
  { experiments }: EnvironmentState,
  refers: (record: ExperimentRecord) => boolean,
): string[] {
  return experiments
    .filter((record) => isUnfinished(record) && refers(record))
    .map(({ key }) => `the experiment ${key}`);
}

/** Depth is bounded where conditions come in. */
export function namesSegment(condition: Json | undefined, segment: string): boolean {
  if (typeof condition !== "object" || condition === null) return false;
  return Object.entries(condition).some(([key, operand]) =>
    key === "$inGroup" || key === "$notInGroup"
      ? operand === segment
      : namesSegment(operand, segment),
  );
}
