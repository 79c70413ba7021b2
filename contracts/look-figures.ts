/** What a row of a ledger keeps of its look, in D1 and in `GET …/looks`: the figures that it used, and what may be said at it. */

import * as z from "zod/mini";
import type { CellSums } from "../counting/types.ts";

const sums = z.object({
  y: z.number(),
  yy: z.number(),
  d: z.number(),
  dd: z.number(),
  yd: z.number(),
  x: z.number(),
  xx: z.number(),
  xy: z.number(),
}) satisfies z.ZodMiniType<CellSums>;

const reading = z.object({ n: z.number(), sums });
const interval = z.tuple([z.number(), z.number()]);

export const lookFigures = z.object({
  maturedShare: z.number(),
  effect: z.nullable(z.number()),
  standardError: z.nullable(z.number()),
  control: reading,
  treatment: reading,
  theta: z.exactOptional(z.nullable(z.number())),
});

export const lookInference = z.object({
  repeatedConfidenceInterval: z.nullable(interval),
  sequentialPValue: z.number(),
  conditionalPower: z.nullable(z.number()),
  final: z.nullable(
    z.object({ pValue: z.number(), medianUnbiased: z.number(), confidenceInterval: interval }),
  ),
});
