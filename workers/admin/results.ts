/** `…/experiments/{key}/results` and `/looks`: the last refresh, and the ledger that decides. */

import { Hono } from "hono";
import * as z from "zod/mini";
import { noFigures, refreshed } from "../../analysis/refresh.ts";
import { currentPhase } from "../../control/experiment.ts";
import { reply } from "../../http/app.ts";
import type { AdminEnv, Services } from "./app.ts";

export function resultRoutes({ definitions, ledger, now }: Services) {
  return new Hono<AdminEnv>()
    .get("/:key/results", async (c) => {
      const key = c.req.param("key");
      const { environment } = c.get("principal");
      const record = await definitions.experiment(environment, key);
      if (record === null) {
        return reply(c, { code: "not-found", detail: `There is no experiment ${key}.` });
      }
      const phase = currentPhase(record);
      if (phase === null) {
        const detail = `${key} is a draft; it has results once it is started.`;
        return reply(c, { code: "not-possible", detail });
      }
      const stored = await ledger.refresh(environment, key);
      if (stored === null) {
        const asOfMs = now().getTime();
        const figures = noFigures;
        return c.json(
          refreshed({ record, phase, figures, ledger: [], logEvidenceBefore: 0, asOfMs }),
        );
      }
      const body = z.parse(z.looseObject({}), JSON.parse(stored.body));
      return c.json({ ...body, status: record.status });
    })
    .get("/:key/looks", async (c) => {
      const experiment = c.req.param("key");
      const { environment } = c.get("principal");
      const record = await definitions.experiment(environment, experiment);
      if (record === null) {
        return reply(c, { code: "not-found", detail: `There is no experiment ${experiment}.` });
      }
      const phase = currentPhase(record)?.phase ?? 0;
      const rows = await ledger.looks({ environment, experiment, phase });
      return c.json({
        environment,
        experiment,
        phase,
        /** As they were frozen, with what was changed since. */
        phases: record.phases,
        looks: rows.map(({ takenAtMs, watermarkMs, ...row }) => ({
          ...row,
          takenAt: new Date(takenAtMs).toISOString(),
          watermark: new Date(watermarkMs).toISOString(),
        })),
      });
    });
}
