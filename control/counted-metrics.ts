/**
 * When a metric that was added to a started experiment may be shown: once every shard has been counted from the archive by a plan that has it.
 * Until then its sums lack what had been counted before.
 */

import { limits } from "../contracts/limits.ts";
import type { Phase } from "../contracts/phase.ts";

/** Events that are being counted by an older plan are counted by then. */
const marginMs = 50_000;

/** A rebuild that is asked for from then on leaves nothing of the metric out, for no consumer has an older plan. */
export function rebuildableFromMs(addedAtMs: number): number {
  return addedAtMs + limits.propagationSeconds * 1_000 + marginMs;
}

/** The phase without the metrics that are not counted yet. `rebuiltAtMs`: of each shard. */
export function withCountedMetrics(phase: Phase, rebuiltAtMs: readonly (number | null)[]): Phase {
  const sinceMs = Math.min(...rebuiltAtMs.map((atMs) => atMs ?? -Infinity));
  const isCounted = ({ addedAtMs }: Phase["metrics"][number]) =>
    addedAtMs === undefined || rebuildableFromMs(addedAtMs) <= sinceMs;
  return { ...phase, metrics: phase.metrics.filter(isCounted) };
}
