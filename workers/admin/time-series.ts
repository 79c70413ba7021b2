/** `GET …/experiments/{key}/timeseries`: per-day points of every comparison, from the cells as they are now. */

import { Hono } from "hono";
import { timeSeries } from "../../analysis/time-series.ts";
import type { TimeSeries } from "../../contracts/time-series.ts";
import { withCountedMetrics } from "../../control/counted-metrics.ts";
import { currentPhase } from "../../control/experiment.ts";
import { reply } from "../../http/app.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import type { AdminEnv, Services } from "./app.ts";

export function timeSeriesRoutes({ definitions, ledger, cells, now }: Services) {
  return new Hono<AdminEnv>().get("/:key/timeseries", async (c) => {
    const experiment = c.req.param("key");
    const { environment } = c.get("principal");
    const record = await definitions.experiment(environment, experiment);
    if (record === null) {
      return reply(c, { code: "not-found", detail: `There is no experiment ${experiment}.` });
    }
    const phase = currentPhase(record);
    if (phase === null) {
      const detail = `${experiment} is a draft; it has a time series once it is started.`;
      return reply(c, { code: "not-possible", detail });
    }
    const [shards, looks] = await Promise.all([
      cells.readFigures(environment, experiment, phase.phase),
      ledger.looks({ environment, experiment, phase: phase.phase }),
    ]);
    const { rows } = phaseFigures(shards, phase.phase);
    const rebuilt = shards.map(({ rebuiltAtMs }) => rebuiltAtMs);
    const counted = withCountedMetrics(phase, rebuilt);
    const answer: TimeSeries = {
      experiment,
      phase: phase.phase,
      asOf: now().toISOString(),
      series: timeSeries({ phase: counted, ledger: looks }, rows),
    };
    return c.json(answer);
  });
}
