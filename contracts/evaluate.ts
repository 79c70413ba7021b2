/** The body of `POST /api/v1/evaluate`. */

import * as z from "zod/mini";
import { limits } from "./limits.ts";

export const evaluateBody = z.strictObject({
  context: z._default(z.record(z.string(), z.unknown()), {}),
  /** Absent: every flag, as a prefetch that exposes nobody. */
  flags: z.exactOptional(
    z.array(z.string()).check(
      z.maxLength(limits.evaluateFlags, {
        error: `Ask for at most ${limits.evaluateFlags} flags at once.`,
      }),
    ),
  ),
  exposures: z._default(z.boolean(), true),
});

export type EvaluateBody = z.output<typeof evaluateBody>;
