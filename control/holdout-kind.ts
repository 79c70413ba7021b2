/** Holdouts. Held out is whose bucket is below the percentage: raising it only ever adds units. */

import type { Holdout, HoldoutBody } from "../contracts/holdout.ts";
import { checkSalt } from "./definition-kind.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { bodyOf } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { isStarted } from "./experiment.ts";

export const holdoutKind: DefinitionKind<"holdout", HoldoutBody> = {
  entity: "holdout",
  plural: "holdouts",
  of: (state) => state.holdouts,
  write: (definition) => ({ entity: "holdout", definition }),
  check: (body, { layers }, before) => [
    ...checkSalt(body.salt, before),
    ...(body.layer === null || bodyOf(layers, body.layer) !== null
      ? []
      : [{ pointer: "/layer", detail: `There is no layer ${body.layer}.` }]),
  ],
  stored: ({ percent, ...body }, before, freshSalt) => ({
    ...body,
    basisPoints: Math.round(percent * 100),
    salt: before?.salt ?? body.salt ?? freshSalt,
  }),
  authored: ({ basisPoints, ...holdout }) => ({ ...holdout, percent: basisPoints / 100 }),
  users: () => [],
  warnings: moved,
};

function moved(
  before: Holdout | null,
  after: Holdout,
  { experiments }: EnvironmentState,
): string[] {
  const running = experiments.filter(isStarted).map(({ key }) => key);
  if (running.length === 0) return [];
  if (before !== null && (before.unit !== after.unit || before.layer !== after.layer)) {
    return [`Others are held out than until now, also of ${running.join(", ")}.`];
  }
  const added = (after.basisPoints - (before?.basisPoints ?? 0)) / 100;
  if (added === 0) return [];
  return [
    added > 0
      ? `/percent: ${added} % of the units are held out from now on, also those that have met their variant.`
      : `/percent: ${-added} % of the units, held out until now, enter experiments.`,
  ];
}
