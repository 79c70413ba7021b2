/**
 * Which documents nobody needs any more: the unit was exposed to nothing that still counts,
 * and its outcomes are too old for any exposure to come. Cells do not change when such a document goes.
 */

import { decodeDocument, forEachOutcome } from "./document.ts";
import type { StoredDocument } from "./document.ts";
import type { Names } from "./names.ts";

export interface Retirement {
  /** Archived so long ago that nothing about it is kept. */
  isRetired: (experiment: string) => boolean;
  /** Outcomes from before this time are of no use. */
  beforeMs: number;
}

export function isUnitRetired(
  stored: StoredDocument,
  names: Names,
  { isRetired, beforeMs }: Retirement,
): boolean {
  const document = decodeDocument(stored, names);
  const { exposures, outside, baseMs } = document;
  if (!exposures.every(({ experiment }) => isRetired(experiment))) return false;
  if (!outside.every(isRetired)) return false;
  let newestMs = baseMs;
  forEachOutcome(document, (_, timeMs) => (newestMs = Math.max(newestMs, timeMs)));
  return newestMs < beforeMs;
}
