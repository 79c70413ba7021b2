/**
 * Which values of a dimension have cells of their own: free text would make a cell of every word that a client ever sent.
 * Of all that the exposures to a phase ever named those are kept that hash lowest, the others are counted together as "other".
 * What is lowest of a union does not depend on order, repetition or cut, nor on the shards that kept theirs apart:
 * once a lower one pushes a value out, it stays out, and its cells join those of "other".
 */

import { hash32 } from "../core/index.ts";

/** Above any list that people choose from, countries included, so that in these nothing is left out. */
const keptValues = 250;

export const otherValue = "other";

/** Values that are always kept, and take nobody's place. */
const alwaysKept: ReadonlySet<string> = new Set(["unknown", otherValue]);

export interface DimensionOfPhase {
  environment: string;
  experiment: string;
  phase: number;
  dimension: string;
}

export interface KeptChange extends DimensionOfPhase {
  /** All that are kept now. */
  values: string[];
  /** Those that were not before. */
  added: string[];
  /** Those that no longer are. */
  gone: string[];
}

/** What changes when these values are met; null when nothing does. */
export function keepValues(
  known: readonly string[],
  met: Iterable<string>,
): Pick<KeptChange, "values" | "added" | "gone"> | null {
  const before = new Set(known);
  const fresh = [...met].filter((value) => !before.has(value) && !alwaysKept.has(value));
  if (fresh.length === 0) return null;
  const values = lowestValues([...known, ...fresh]);
  const now = new Set(values);
  const added = fresh.filter((value) => now.has(value));
  if (added.length === 0) return null;
  return { values, added, gone: known.filter((value) => !now.has(value)) };
}

/** Those of these values that are kept, besides those that always are. */
export function lowestValues(values: readonly string[]): string[] {
  const others = values.filter((value) => !alwaysKept.has(value));
  if (others.length <= keptValues) return others;
  const hashed = others.map((value): [number, string] => [hash32(value), value]);
  hashed.sort(([a, first], [b, second]) => a - b || (first < second ? -1 : 1));
  return hashed.slice(0, keptValues).map(([, value]) => value);
}

/** As what a value is counted. */
export function shownValue(value: string, kept: ReadonlySet<string>): string {
  return kept.has(value) || alwaysKept.has(value) ? value : otherValue;
}
