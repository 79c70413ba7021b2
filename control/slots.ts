/**
 * Which buckets of a layer are taken, and which an experiment gets. A slot that was given is never moved or shortened:
 * growing appends, so that nobody who is in drops out; it is free again when its experiment is completed.
 */

import { BUCKETS } from "../core/index.ts";
import type { Slot } from "../core/index.ts";
import { currentPhase, isStarted } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";

/** Of the layer's running and paused experiments. */
export function occupiedSlots(layer: string, experiments: readonly ExperimentRecord[]): Slot[] {
  return experiments.filter(isStarted).flatMap((record) => {
    const phase = currentPhase(record);
    return phase?.layer === layer ? phase.slots : [];
  });
}

/** What the others leave, ascending; no two of them overlap. */
export function freeSlots(occupied: readonly Slot[]): Slot[] {
  const free: Slot[] = [];
  let end = 0;
  for (const [from, to] of occupied.toSorted(([a], [b]) => a - b)) {
    if (from > end) free.push([end, from]);
    end = to;
  }
  if (end < BUCKETS) free.push([end, BUCKETS]);
  return free;
}

/** A bucket is a basis point of the units. */
export function basisPointsOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** The first free buckets, in as many ranges as it takes; null when there are not enough. */
export function firstFit(occupied: readonly Slot[], basisPoints: number): Slot[] | null {
  const slots: Slot[] = [];
  let missing = basisPoints;
  for (const [from, to] of freeSlots(occupied)) {
    if (missing === 0) break;
    const end = Math.min(to, from + missing);
    slots.push([from, end]);
    missing -= end - from;
  }
  return missing === 0 ? slots : null;
}
