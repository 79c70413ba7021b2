/** `PUT …/experiments/{key}/schedule`: when it starts, ramps and stops by itself. */

import { Hono } from "hono";
import { limits } from "../../contracts/limits.ts";
import { scheduleBody } from "../../contracts/schedule.ts";
import { reschedule } from "../../control/schedule.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange } from "./change.ts";

export function scheduleRoutes(services: Services) {
  return new Hono<AdminEnv>().put("/:key/schedule", async (c) => {
    const key = c.req.param("key");
    const body = await readJson(c.req.raw, scheduleBody, limits.bodyBytes);
    if (!body.ok) return reply(c, body.problem);
    const changed = await applyChange(c, services, (state, { at }) =>
      reschedule(state, key, { ...body.value, at }),
    );
    return changed.ok
      ? c.json({ key, schedule: changed.value.body.schedule ?? null })
      : reply(c, changed.problem);
  });
}
