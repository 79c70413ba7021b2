/**
 * `GET /api/v1/config`: the environment's snapshot as it was published, for those who evaluate by themselves.
 * A CDN may keep it, for each key apart.
 */

import type { Handler } from "hono";
import type { AppEnv } from "../../http/app.ts";
import { matchesTag } from "../../http/entity-tag.ts";
import { answer, ask, refused } from "./ask.ts";
import type { Askable } from "./ask.ts";

const cacheControl = "public, max-age=10, stale-while-revalidate=60, stale-if-error=86400";

export function configRoute(services: Askable): Handler<AppEnv<object>> {
  return async (c) => {
    const asked = await ask(c, services, { kinds: ["server", "admin"] });
    if (!asked.ok) return refused(c, asked.problem);
    const { environment, snapshot } = asked.value;
    const etag = `"${environment}.${snapshot.published.version}"`;
    const headers = {
      etag,
      "cache-control": cacheControl,
      vary: "authorization, x-api-key, x-edgewise-environment",
    };
    return matchesTag(c.req.raw.headers.get("if-none-match"), etag)
      ? answer(c, asked.value, null, { status: 304, headers })
      : answer(c, asked.value, snapshot.published.text, { headers });
  };
}
