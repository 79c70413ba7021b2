/**
 * Which documents nobody needs any more: the unit was exposed to nothing that still counts,
 * and its outcomes are too old for any exposure to come. Cells do not change when such a document goes.
 */

import { decodeDocument } from "./document.ts";
import type { Names } from "./names.ts";

export interface Retirement {
  /** Archived so long ago that nothing about it is kept. */
  isRetired: (experiment: string) => boolean;
  /** Outcomes from before this time are of no use. */
  beforeMs: number;
}

export function isUnitRetired(
  stored: string,
  names: Names,
  { isRetired, beforeMs }: Retirement,
): boolean {
  const { exposures, outside, baseMs, outcomes } = decodeDocument(stored, names);
  if (!exposures.every(({ assignment }) => isRetired(assignment.experiment))) return false;
  if (!outside.every(isRetired)) return false;
  return baseMs < beforeMs && outcomes.all.every(({ timeMs }) => timeMs < beforeMs);
}
