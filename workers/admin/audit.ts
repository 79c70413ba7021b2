/** `GET /api/v1/audit?limit=&before=`: every change of the environment, newest first. */

import { Hono } from "hono";
import { reply } from "../../http/app.ts";
import type { AdminEnv, Services } from "./app.ts";

const defaultLimit = 100;
const maximumLimit = 1_000;

export function auditRoutes({ environments }: Services) {
  return new Hono<AdminEnv>().get("/", async (c) => {
    const limit = wholeNumber(c.req.query("limit"), defaultLimit);
    const before = wholeNumber(c.req.query("before"), Number.MAX_SAFE_INTEGER);
    if (limit === null || limit < 1 || limit > maximumLimit || before === null) {
      const detail = `limit is from 1 to ${maximumLimit}, before a version of the environment.`;
      return reply(c, { code: "invalid-parameter", detail });
    }
    const rows = await environments.audit(c.get("principal").environment, limit, before);
    return c.json({
      entries: rows.map(({ environmentId: _environment, after, ...entry }) => {
        const document: unknown = after === null ? null : JSON.parse(after);
        return { ...entry, after: document };
      }),
    });
  });
}

function wholeNumber(given: string | undefined, otherwise: number): number | null {
  if (given === undefined) return otherwise;
  return /^\d{1,15}$/.test(given) ? Number(given) : null;
}
