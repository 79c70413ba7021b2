/**
 * The entity tag of a bulk answer: the same only for the same environment, the same context, whatever the order of its keys and
 * whether or not a flag reads it, and the same answer, with the version in it. Experiments start and end without a new version.
 */

import { sha256 } from "../../contracts/sha256.ts";
import type { Context } from "../../core/index.ts";
import { isRecord } from "../../core/values.ts";

/** Null for a context that is nested too deeply to be written down: its answers have no tag. */
export async function bulkTag(
  environment: string,
  context: Context,
  answer: string,
): Promise<string | null> {
  const canonical = canonicalJson(context);
  return canonical === null
    ? null
    : `"${await sha256(JSON.stringify([environment, canonical, answer]))}"`;
}

function canonicalJson(context: Context): string | null {
  try {
    return JSON.stringify(context, (_key, value: unknown) =>
      isRecord(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return null;
  }
}
