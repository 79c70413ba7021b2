/** A message of the queue ANALYSES: JSON text, one experiment to refresh. The clock travels with it. */

import * as z from "zod/mini";

export const analysisMessage = z.object({
  v: z.literal(1),
  environment: z.string(),
  experiment: z.string(),
  asOfMs: z.number(),
});

export type AnalysisMessage = z.output<typeof analysisMessage>;
