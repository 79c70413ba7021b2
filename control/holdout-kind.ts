import type { Holdout, HoldoutBody } from "../contracts/holdout.ts";
import { checkSalt } from "./definition-kind.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { bodyOf } from "./environment-state.ts";

/** Held out is whose bucket is below the percentage: raising it only ever adds units. */
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
  warnings: released,
};

function released(before: Holdout, after: Holdout): string[] {
  if (before.unit !== after.unit) return ["/unit: another unit holds others out than until now."];
  return after.basisPoints < before.basisPoints
    ? [
        `/percent: ${(before.basisPoints - after.basisPoints) / 100} % of the units, held out until now, enter experiments.`,
      ]
    : [];
}
