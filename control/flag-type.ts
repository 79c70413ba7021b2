/** Which of a flag's types a value has. */

import type { FlagType, Json } from "../core/index.ts";

/** The type of the flag that serves this value, or null for a value that no flag serves. */
export function flagTypeOf(value: Json | undefined): FlagType | null {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  return typeof value === "object" && value !== null && !Array.isArray(value) ? "object" : null;
}
