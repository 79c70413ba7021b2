/** When an experiment starts, ramps and stops by itself: in an experiment's body, and of `PUT …/schedule`. Instants are ISO-8601. */

import * as z from "zod/mini";
import { parseInstant } from "./event-fields.ts";
import { percent, reason } from "./fields.ts";

const instant = z.string().check(
  z.refine((text) => parseInstant(text) !== null, {
    error: "Use an ISO-8601 instant such as 2026-01-14T09:30:00Z.",
  }),
);

const mostSteps = 20;

export const schedule = z.strictObject({
  start: z.exactOptional(instant),
  stop: z.exactOptional(instant),
  /** Traffic from then on; only ever more. */
  ramp: z.exactOptional(
    z.array(z.strictObject({ at: instant, traffic: percent })).check(z.maxLength(mostSteps)),
  ),
});

export type Schedule = z.output<typeof schedule>;

/** The body of `PUT …/schedule`; null removes it. */
export const scheduleBody = z.strictObject({
  schedule: z.nullable(schedule),
  reason: z.exactOptional(reason),
});
