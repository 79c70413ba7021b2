/** The body of a segment, as people write it (`POST /api/v1/segments`) and as CONTROL keeps it. */

import * as z from "zod/mini";
import { key, name } from "./fields.ts";

/** What an attribute, or an item of one that is a list, must equal to be in. */
const value = z.union([z.string(), z.number(), z.boolean()], {
  error: "A value is a string, a number or a boolean.",
});

export const segmentBody = z.strictObject({
  key,
  name: z.exactOptional(name),
  values: z.array(value),
});

export type SegmentBody = z.output<typeof segmentBody>;
