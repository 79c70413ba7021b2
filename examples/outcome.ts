/** What a visitor did, told to Edgewise under the id by which experiments know the visitor. */

import { parse } from "hono/utils/cookie";
import type { Env } from "./env.ts";

/** Tells nothing of visitors without a cookie: they are in no experiment. */
export async function recordOutcome(request: Request, env: Env, name: string): Promise<void> {
  const { edgewise_visitor: unit } = parse(request.headers.get("cookie") ?? "", "edgewise_visitor");
  if (unit === undefined) return;
  const timestamp = new Date().toISOString();
  const event = { type: "outcome", id: crypto.randomUUID(), name, unit, timestamp };
  await env.EDGEWISE.fetch("https://edgewise/api/v1/events/batch", {
    method: "POST",
    headers: { authorization: `Bearer ${env.EDGEWISE_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ events: [event] }),
  });
}
