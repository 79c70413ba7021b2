/** Arithmetic of the sums that a cell keeps: what one unit is in them, what it changes, how they add up. */

import type { CellSums } from "./types.ts";

/** A unit's metric (or a ratio's numerator), its denominator, its covariate. */
export interface UnitValues {
  y: number;
  d: number;
  x: number;
}

export function noSums(): CellSums {
  return { y: 0, yy: 0, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
}

/** What a cell changes by when one unit's values go from `b` to `a`. */
export function changeOfSums(a: UnitValues, b: UnitValues): CellSums {
  return {
    y: a.y - b.y,
    yy: a.y * a.y - b.y * b.y,
    d: a.d - b.d,
    dd: a.d * a.d - b.d * b.d,
    yd: a.y * a.d - b.y * b.d,
    x: a.x - b.x,
    xx: a.x * a.x - b.x * b.x,
    xy: a.x * a.y - b.x * b.y,
  };
}

export function addSums(into: CellSums, change: CellSums): void {
  into.y += change.y;
  into.yy += change.yy;
  into.d += change.d;
  into.dd += change.dd;
  into.yd += change.yd;
  into.x += change.x;
  into.xx += change.xx;
  into.xy += change.xy;
}
