/** What every change of an environment writes in its own transaction: the next version, and the audit row that bears it. */

import type { D1Database } from "@cloudflare/workers-types";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { auditLog, environments } from "../schema/control/tables.ts";
import type { ChangeRequest } from "./definition-store.ts";

export interface AuditedChange {
  action: string;
  entity: "key" | "webhook" | "experiment";
  key: string;
  reason?: string;
  /** Without secrets. */
  after: object;
}

/** In this order: the row bears the version that the change made. */
export function auditedChange(
  d1: D1Database,
  { environment, auditId, at, actor }: ChangeRequest,
  { action, entity, key, reason, after }: AuditedChange,
) {
  const db = drizzle(d1);
  const increment = db
    .update(environments)
    .set({ version: sql`version + 1` })
    .where(eq(environments.id, environment));
  const audit = db.insert(auditLog).values({
    id: auditId,
    environmentId: environment,
    version: sql`(select version from environments where id = ${environment})`,
    at,
    actor,
    action,
    entity,
    entityKey: key,
    reason: reason ?? null,
    after: JSON.stringify(after),
  });
  return [increment, audit] as const;
}
