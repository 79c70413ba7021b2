/**
 * What a unit's exposures to one phase come to. However they are ordered or repeated, the result is the same:
 * a standing only ever moves away from "counted", and the earliest exposure is found by a total order.
 */

import type { Assigned, Assignment } from "./assignment.ts";
import { dimensionsOf } from "./dimensions.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { UnitExposure } from "./document.ts";
import type { Names } from "./names.ts";
import type { CompiledExperiment } from "./plan.ts";
import type { ExposureEvent } from "./types.ts";

export function firstExposure(
  event: ExposureEvent,
  { key: experiment, dimensions }: CompiledExperiment,
  { phase, delayMinutes, names }: { phase: number; delayMinutes: number; names: Names },
): UnitExposure {
  const assignment = names.assignments.of({
    experiment,
    phase,
    variant: event.variant,
    standing: event.bot ? "bot" : "counted",
    dimensions: dimensionsOf(event, dimensions),
  });
  return { assignment, timeMs: event.timeMs, delayMinutes, values: [], lateEvents: 0 };
}

/** What is known after one more exposure: `known` itself when that changes nothing. */
export function mergeExposures(
  known: UnitExposure,
  next: UnitExposure,
  { assignments }: Names,
): UnitExposure {
  const { assignment } = known;
  const { standing } = assignment;
  if (standing === "hot" || standing === "bot") return known;
  if (next.assignment.standing === "bot") {
    return { ...known, assignment: assignments.of({ ...assignment, standing: "bot" }) };
  }
  if (standing === "earlier-phase") return known;
  if (standing === "quarantined" || next.assignment.variant !== assignment.variant) {
    const quarantined = assignments.of(quarantine(assignment, next.assignment.variant));
    return quarantined === assignment ? known : { ...known, assignment: quarantined };
  }
  return compareExposures(next, known) < 0 ? next : known;
}

/** Keeps the two variants that sort first, so that a third ends in the same pair whichever came when. */
function quarantine(assignment: Assignment, variant: string): Assigned {
  const seen = new Set([assignment.variant, assignment.secondVariant ?? variant, variant]);
  const [first = variant, second = variant] = [...seen].sort();
  return { ...assignment, standing: "quarantined", variant: first, secondVariant: second };
}

function compareExposures(a: UnitExposure, b: UnitExposure): number {
  return a.timeMs - b.timeMs || compareDimensions(a.assignment.dimensions, b.assignment.dimensions);
}

function compareDimensions(a: readonly DimensionValue[], b: readonly DimensionValue[]): number {
  for (const [i, { value }] of a.entries()) {
    const other = b[i]?.value ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
