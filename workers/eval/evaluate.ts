/** How `POST /api/v1/evaluate` tells what flags serve. */

import type { Evaluation } from "../../core/index.ts";
import type { ServedSnapshot } from "../../stores/snapshot-store.ts";

/** The last three only where an experiment assigned: what a client needs to report the exposure itself. */
type FlagAnswer = Omit<Evaluation, "flag" | "exposure"> & {
  experiment?: string;
  phase?: number;
  /** The attribute that is the unit. */
  unitKind?: string;
};

export function evaluationsAnswer(
  evaluations: readonly Evaluation[],
  { published, stale }: ServedSnapshot,
): { version: number; flags: Record<string, FlagAnswer> } {
  const flags = evaluations.map((each) => [each.flag, flagAnswer(each, stale)] as const);
  return { version: published.version, flags: Object.fromEntries(flags) };
}

export function flagAnswer(
  { flag: _flag, exposure, ...rest }: Evaluation,
  stale: boolean,
): FlagAnswer {
  const reason = stale && rest.reason !== "ERROR" ? "STALE" : rest.reason;
  if (exposure === undefined) return { ...rest, reason };
  const { experiment, phase, kind } = exposure;
  return { ...rest, reason, experiment, phase, unitKind: kind };
}
