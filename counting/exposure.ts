/**
 * What a unit's exposures to one phase come to. However they are ordered or repeated, the result is the same:
 * a standing only ever moves away from "counted", and the earliest exposure is found by a total order.
 */

import { dimensionsOf } from "./dimensions.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { UnitExposure } from "./document.ts";
import type { ExposureEvent } from "./types.ts";

export function firstExposure(
  event: ExposureEvent,
  phase: number,
  dimensions: readonly string[],
  delayMinutes: number,
): UnitExposure {
  return {
    experiment: event.experiment,
    phase,
    timeMs: event.timeMs,
    delayMinutes,
    variant: event.variant,
    dimensions: dimensionsOf(event.attributes, dimensions),
    standing: event.bot ? "bot" : "counted",
    values: [],
    lateEvents: 0,
  };
}

/** What is known after one more exposure: `known` itself when that changes nothing. */
export function mergeExposures(known: UnitExposure, next: UnitExposure): UnitExposure {
  if (known.standing === "hot" || known.standing === "bot") return known;
  if (next.standing === "bot") return { ...known, standing: "bot" };
  if (known.standing === "earlier-phase") return known;
  if (known.standing === "quarantined" || next.variant !== known.variant) {
    return quarantined(known, next.variant);
  }
  return compareExposures(next, known) < 0 ? next : known;
}

/** Keeps the two variants that sort first, so that a third ends in the same pair whichever came when. */
function quarantined(known: UnitExposure, variant: string): UnitExposure {
  const seen = new Set([known.variant, known.secondVariant ?? variant, variant]);
  const [first = variant, second = variant] = [...seen].sort();
  if (known.standing === "quarantined" && known.variant === first && known.secondVariant === second)
    return known;
  return { ...known, standing: "quarantined", variant: first, secondVariant: second };
}

function compareExposures(a: UnitExposure, b: UnitExposure): number {
  return a.timeMs - b.timeMs || compareDimensions(a.dimensions, b.dimensions);
}

function compareDimensions(a: readonly DimensionValue[], b: readonly DimensionValue[]): number {
  for (const [i, { value }] of a.entries()) {
    const other = b[i]?.value ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
