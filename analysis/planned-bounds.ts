/** The bounds of a plan's looks if they are taken as planned: for the reader, and solved once for all experiments that are planned alike. */

import type { PhasePlan } from "../contracts/phase.ts";
import { plannedFractions } from "../control/resolve-plan.ts";
import { finiteOrNull, groupSequentialBounds } from "../stats/index.ts";

export interface PlannedLook {
  look: number;
  informationFraction: number;
  /** Null: there is nothing to spend at this look. */
  boundary: number | null;
}

const known = new Map<string, PlannedLook[]>();
const mostKnown = 100;

export function plannedBounds({ looks, ledgerAlpha, sides, spending }: PhasePlan): PlannedLook[] {
  const fractions = plannedFractions(looks);
  const plan = JSON.stringify([fractions, ledgerAlpha, sides, spending]);
  const before = known.get(plan);
  if (before !== undefined) return before;
  const { upper } = groupSequentialBounds({ fractions, alpha: ledgerAlpha, sides, spending });
  const solved = fractions.map((informationFraction, index) => ({
    look: index + 1,
    informationFraction,
    boundary: finiteOrNull(upper[index] ?? Infinity),
  }));
  if (known.size === mostKnown) known.clear();
  known.set(plan, solved);
  return solved;
}
