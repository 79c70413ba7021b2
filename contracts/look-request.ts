/** Bodies of what changes the course of a plan: `POST …/look` and `POST …/plan`. Without `confirm` nothing is done, and the answer says what would be. */

import * as z from "zod/mini";
import { reason } from "./fields.ts";

const confirm = z._default(z.boolean(), false);

export const lookRequest = z.strictObject({
  reason,
  confirm,
  /** The last look, before the plan's end, for a reason that has nothing to do with the results. */
  final: z._default(z.boolean(), false),
});

export const replanRequest = z.strictObject({
  reason,
  confirm,
  /** Units over all variants. */
  maximumSampleSize: z.int().check(z.minimum(2)),
  /** The reason has nothing to do with the effect: traffic, or the variance of all variants together. */
  blinded: z._default(z.boolean(), false),
});

export type ReplanRequest = z.output<typeof replanRequest>;
