/**
 * `POST /api/v1/rebuilds`: asks for every shard to be counted anew from the archive. The analysis worker's cron takes it up within
 * a minute; `GET /api/v1/health` tells how it goes. A shard holds units of every environment: the installation's key alone may ask.
 */

import { Hono } from "hono";
import * as z from "zod/mini";
import type { KeyDirectory } from "../../contracts/api-key.ts";
import { limits } from "../../contracts/limits.ts";
import { reply } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import { readJson } from "../../http/body.ts";
import type { RebuildStore } from "../../stores/rebuild-store.ts";

export interface RebuildRequests {
  keys: KeyDirectory;
  shards: Pick<RebuildStore, "request">[];
  nowMs: () => number;
  /** A UUIDv7. */
  newId: () => string;
}

const rebuildBody = z.strictObject({
  reason: z.string().check(z.minLength(1), z.maxLength(500)),
});

export function rebuildRoutes({ keys, shards, nowMs, newId }: RebuildRequests) {
  return new Hono<AppEnv<object>>().post("/", async (c) => {
    const principal = await authenticate(c.req.raw.headers, keys, { role: "admin" });
    if (!principal.ok) return reply(c, principal.problem);
    const { key } = principal.value;
    if (key.environment !== null) {
      const detail = "A rebuild concerns every environment: use the installation's key.";
      return reply(c, { code: "forbidden", detail });
    }
    const body = await readJson(c.req.raw, rebuildBody, limits.bodyBytes);
    if (!body.ok) return reply(c, body.problem);
    const id = newId();
    const { reason } = body.value;
    const requested = await Promise.all(shards.map((shard) => shard.request(id, reason, nowMs())));
    console.log(JSON.stringify({ event: "rebuild-requested", id, actor: key.id, reason }));
    const answer = requested.map((isRequested, shard) => ({ shard, requested: isRequested }));
    return c.json({ id, reason, shards: answer }, 202);
  });
}
