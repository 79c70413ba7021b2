/** Which unit a context is. Never reads anything that the caller did not put into the context. */
import type { Context } from "./types.ts";
import { own } from "./values.ts";

/** The kind of unit when nothing else is named. */
export const TARGETING_KEY = "targetingKey";

/**
 * The id of the context's unit of that kind: a non-empty string, or a finite number as a string.
 * Null when the attribute is missing or anything else.
 */
export function unitIdOf(context: Context, kind: string): string | null {
  const id = own(context, kind);
  if (typeof id === "string") return id === "" ? null : id;
  return typeof id === "number" && Number.isFinite(id) ? String(id) : null;
}
