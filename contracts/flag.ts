/** The body of a flag, as people write it (`POST /api/v1/flags`); CONTROL keeps it in the form that evaluates (`core/types.ts`). */

import * as z from "zod/mini";
import { attributeName, json, jsonObject, key, percent, salt, unitId } from "./fields.ts";

const split = z
  .array(z.strictObject({ variant: key, weight: percent }))
  .check(
    z.minLength(1, { error: "A split has at least one variant." }),
    z.maxLength(100, { error: "A split has at most 100 variants." }),
  );

/** One shape for the three kinds of rule, so that what is wrong has a place; control/check-flag.ts tells them apart. */
const rule = z.strictObject({
  when: z.exactOptional(jsonObject),
  serve: z.exactOptional(key),
  unit: z.exactOptional(attributeName),
  /** Share of units that reach the split. */
  rollout: z.exactOptional(percent),
  split: z.exactOptional(split),
  experiment: z.exactOptional(key),
});

export const flagBody = z.strictObject({
  key,
  type: z.enum(["boolean", "string", "number", "object"], {
    error: "Use boolean, string, number or object.",
  }),
  variants: z
    .array(z.strictObject({ key, value: json }))
    .check(
      z.minLength(1, { error: "A flag has at least one variant." }),
      z.maxLength(100, { error: "A flag has at most 100 variants." }),
    ),
  defaultVariant: key,
  offVariant: z.exactOptional(key),
  enabled: z._default(z.boolean(), true),
  salt: z.exactOptional(salt),
  /** Values of targetingKey by the variant that they always get. */
  overrides: z.exactOptional(z.pipe(jsonObject, z.record(key, z.array(unitId)))),
  prerequisites: z.exactOptional(
    z
      .array(
        z.strictObject({
          flag: key,
          variants: z
            .array(key)
            .check(z.minLength(1, { error: "Name the variants that meet the prerequisite." })),
        }),
      )
      .check(z.maxLength(50, { error: "A flag has at most 50 prerequisites." })),
  ),
  rules: z._default(
    z.array(rule).check(z.maxLength(500, { error: "A flag has at most 500 rules." })),
    [],
  ),
});

export type FlagBody = z.output<typeof flagBody>;
export type RuleBody = FlagBody["rules"][number];
