/** A holdout: its body, as people write it (`POST /api/v1/holdouts`), and its form in CONTROL. */

import * as z from "zod/mini";
import { attributeName, key, name, percent, salt } from "./fields.ts";

const fields = {
  key,
  name: z.exactOptional(name),
  unit: z._default(attributeName, "targetingKey"),
  /** A layer's key; null holds units out of every experiment of the environment. */
  layer: z._default(z.nullable(key), null),
};

export const holdoutBody = z.strictObject({ ...fields, percent, salt: z.exactOptional(salt) });

export const holdout = z.object({ ...fields, basisPoints: z.number(), salt });

export type HoldoutBody = z.output<typeof holdoutBody>;
export type Holdout = z.output<typeof holdout>;
