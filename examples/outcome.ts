/** What a visitor did, told to Edgewise under the id by which experiments know the visitor. */

import { visitorId } from "edgewise/html";
import type { Env } from "./env.ts";

/** Tells nothing of visitors without the middleware's cookie: they are in no experiment. */
export async function recordOutcome(request: Request, env: Env, name: string): Promise<void> {
  const unit = visitorId(request);
  if (unit === null) return;
  const timestamp = new Date().toISOString();
  const event = { type: "outcome", id: crypto.randomUUID(), name, unit, timestamp };
  await env.EDGEWISE.fetch("https://edgewise/api/v1/events/batch", {
    method: "POST",
    headers: { authorization: `Bearer ${env.EDGEWISE_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ events: [event] }),
  });
}
