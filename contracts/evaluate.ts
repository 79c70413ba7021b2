/** The bodies of `POST /api/v1/evaluate` and `POST /api/v1/explain`. */

import * as z from "zod/mini";
import type { Context } from "../core/types.ts";
import { isRecord } from "../core/values.ts";
import { limits } from "./limits.ts";

export interface EvaluateBody {
  context: Context;
  /** Absent: every flag, as a prefetch that exposes nobody. */
  flags?: string[];
  exposures: boolean;
}

/** Taken as it is: evaluation reads what it needs of it. */
const context = z.custom<Context>(isRecord, { error: "A context is an object of attributes." });

const flags = z.array(z.string()).check(
  z.maxLength(limits.evaluateFlags, {
    error: `Ask for at most ${limits.evaluateFlags} flags at once.`,
  }),
);

export const evaluateBody = z.strictObject({
  context: z._default(context, {}),
  flags: z.exactOptional(flags),
  exposures: z._default(z.boolean(), true),
}) satisfies z.ZodMiniType<EvaluateBody>;

export const explainBody = z
  .strictObject({
    context: z._default(context, {}),
    /** One flag, or several; every flag without either. */
    flag: z.exactOptional(z.string()),
    flags: z.exactOptional(flags),
  })
  .check(
    z.refine(({ flag, flags }) => flag === undefined || flags === undefined, {
      error: "Name either one flag or several.",
      path: ["flags"],
    }),
  );

const fields: ReadonlySet<string> = new Set(["context", "flags", "exposures"]);

/**
 * What `evaluateBody` makes of JSON, at a fraction of its cost, which would be a good part of an evaluation's.
 * Null for what the schema has to judge: whatever is wrong, and a field that is not there.
 */
export function readEvaluateBody(json: unknown): EvaluateBody | null {
  if (!isRecord(json)) return null;
  for (const field of Object.keys(json)) if (!fields.has(field)) return null;
  const { context: attributes, flags: keys, exposures = true } = json;
  if (!isRecord(attributes) || !areFlags(keys) || typeof exposures !== "boolean") return null;
  return { context: attributes, flags: keys, exposures };
}

function areFlags(keys: unknown): keys is string[] {
  return (
    Array.isArray(keys) &&
    keys.length <= limits.evaluateFlags &&
    keys.every((key) => typeof key === "string")
  );
}
