/** `GET /api/v1/health`: how the event path is doing now; nothing is remembered here. */

import { Hono } from "hono";
import type { KeyDirectory } from "../../contracts/api-key.ts";
import { reply } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import { countedHours, reportOf } from "./health-report.ts";
import type { Observations } from "./health-report.ts";

const hourMs = 3_600_000;

export interface HealthServices {
  keys: KeyDirectory;
  observe: (environment: string, sinceHour: number) => Promise<Omit<Observations, "nowMs">>;
  nowMs: () => number;
}

export function healthRoutes({ keys, observe, nowMs }: HealthServices) {
  return new Hono<AppEnv<object>>().get("/", async (c) => {
    const principal = await authenticate(c.req.raw.headers, keys, { role: "viewer" });
    if (!principal.ok) return reply(c, principal.problem);
    const now = nowMs();
    const sinceHour = Math.floor(now / hourMs) - countedHours + 1;
    const observed = await observe(principal.value.environment, sinceHour);
    return c.json(reportOf({ nowMs: now, ...observed }));
  });
}
