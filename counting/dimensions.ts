/** By what a unit's cells are broken down: attributes of its first exposure as short strings. */

import type { ExposureEvent } from "./types.ts";

const valueLength = 100;

export interface DimensionValue {
  dimension: string;
  value: string;
}

/** One value per name, in the order given; what is missing, empty or no scalar is "unknown". */
export function dimensionsOf(
  attributes: ExposureEvent["attributes"],
  names: readonly string[],
): DimensionValue[] {
  return names.map((dimension) => {
    const isGiven = attributes !== undefined && Object.hasOwn(attributes, dimension);
    return { dimension, value: valueOf(isGiven ? attributes[dimension] : undefined) };
  });
}

function valueOf(attribute: unknown): string {
  if (typeof attribute === "number" || typeof attribute === "boolean") return String(attribute);
  return typeof attribute === "string" && attribute !== "" ? cut(attribute) : "unknown";
}

/** Never through the middle of a surrogate pair: half of one does not survive the way to the database. */
function cut(value: string): string {
  if (value.length <= valueLength) return value;
  return value.slice(0, valueLength).replace(/[\uD800-\uDBFF]$/, "");
}
