/** The bodies of `POST /api/v1/evaluate` and `POST /api/v1/explain`. */

import * as z from "zod/mini";
import type { Context } from "../core/types.ts";
import { isRecord } from "./event-fields.ts";
import { limits } from "./limits.ts";

/** Taken as it is: evaluation reads what it needs of it. */
const context = z.custom<Context>(isRecord, { error: "A context is an object of attributes." });

const flags = z.array(z.string()).check(
  z.maxLength(limits.evaluateFlags, {
    error: `Ask for at most ${limits.evaluateFlags} flags at once.`,
  }),
);

export const evaluateBody = z.strictObject({
  context: z._default(context, {}),
  /** Absent: every flag, as a prefetch that exposes nobody. */
  flags: z.exactOptional(flags),
  exposures: z._default(z.boolean(), true),
});

export const explainBody = z.strictObject({
  context: z._default(context, {}),
  /** One flag, or several; every flag without either. */
  flag: z.exactOptional(z.string()),
  flags: z.exactOptional(flags),
});
