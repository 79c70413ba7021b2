/**
 * By what a unit's cells are broken down: attributes of its first exposure as short strings. Populations alone are broken down by how that exposure came, too,
 * which points at the cause of a sample-ratio mismatch.
 */

import type { ExposureEvent } from "./types.ts";

const valueLength = 100;

export interface DimensionValue {
  dimension: string;
  value: string;
}

/** How an exposure came: no attribute is a dimension of that name. */
export const originDimensions = ["source", "sdk"] as const;

const origins = new Set<string>(originDimensions);

/** Of which only populations have rows, no cells. */
export function isOrigin(dimension: string): boolean {
  return origins.has(dimension);
}

/** One value per name, in the order given, then the origin's; what is missing, empty or no scalar is "unknown". */
export function dimensionsOf(event: ExposureEvent, names: readonly string[]): DimensionValue[] {
  const { attributes } = event;
  const dimensions = names.map((dimension) => {
    const isGiven = attributes !== undefined && Object.hasOwn(attributes, dimension);
    return { dimension, value: valueOf(isGiven ? attributes[dimension] : undefined) };
  });
  for (const dimension of originDimensions) {
    dimensions.push({ dimension, value: valueOf(event[dimension]) });
  }
  return dimensions;
}

function valueOf(attribute: unknown): string {
  if (typeof attribute === "number" || typeof attribute === "boolean") return String(attribute);
  return typeof attribute === "string" && attribute !== "" ? cut(attribute) : "unknown";
}

/** Long values are cut: never through the middle of a surrogate pair, since half of one does not survive the way to the database. */
export function cut(value: string): string {
  if (value.length <= valueLength) return value;
  return value.slice(0, valueLength).replace(/[\uD800-\uDBFF]$/, "");
}
