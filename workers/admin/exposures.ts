/** `GET …/experiments/{key}/exposures`: who is in, by variant, day and dimension, and who is left out, from the cells as they are now. */

import { Hono } from "hono";
import { exposures } from "../../analysis/exposures.ts";
import { currentPhase } from "../../control/experiment.ts";
import { reply } from "../../http/app.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import type { AdminEnv, Services } from "./app.ts";

export function exposureRoutes({ definitions, cells, now }: Services) {
  return new Hono<AdminEnv>().get("/:key/exposures", async (c) => {
    const experiment = c.req.param("key");
    const { environment } = c.get("principal");
    const record = await definitions.experiment(environment, experiment);
    if (record === null) {
      return reply(c, { code: "not-found", detail: `There is no experiment ${experiment}.` });
    }
    const phase = currentPhase(record);
    if (phase === null) {
      const detail = `${experiment} is a draft; it has exposures once it is started.`;
      return reply(c, { code: "not-possible", detail });
    }
    const shards = await cells.readFigures(environment, experiment, phase.phase);
    const { rows, quality } = phaseFigures(shards, phase.phase);
    return c.json({
      experiment,
      phase: phase.phase,
      asOf: now().toISOString(),
      ...exposures(phase, rows),
      leftOut: quality,
    });
  });
}
