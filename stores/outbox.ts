/**
 * The outbox in D1 CONTROL: statements that go into the transaction which decides something, so that a kill neither loses what is to be told nor
 * tells it twice. Each webhook that is in force then, and asks for it, gets a delivery; one made later does not.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, eq, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import { noticeBody } from "../contracts/notice.ts";
import type { Notice } from "../contracts/notice.ts";
import { deliveries, notices, webhooks } from "../schema/control/tables.ts";

/** Told already, by its key: then neither statement writes anything. */
export function noticeStatements(
  d1: D1Database,
  environment: string,
  notice: Notice,
): BatchItem<"sqlite">[] {
  const db = drizzle(d1);
  const { id, key, kind, at } = notice;
  return [
    db
      .insert(notices)
      .values({
        id,
        environmentId: environment,
        key,
        kind,
        at,
        body: noticeBody(environment, notice),
      })
      .onConflictDoNothing(),
    db
      .insert(deliveries)
      .select(
        db
          .select({
            notice: notices.id,
            webhook: webhooks.id,
            attempts: sql<number>`0`.as("attempts"),
            nextAttemptAtMs: sql<number>`0`.as("next_attempt_at_ms"),
            deliveredAt: sql<null>`null`.as("delivered_at"),
            lastError: sql<null>`null`.as("last_error"),
          })
          .from(notices)
          .innerJoin(webhooks, eq(webhooks.environmentId, notices.environmentId))
          .where(
            and(
              // The notice is there under this id only if it was inserted just now.
              eq(notices.id, id),
              isNull(webhooks.removedAt),
              sql`exists (select 1 from json_each(${webhooks.events}) where value = ${notices.kind})`,
            ),
          ),
      )
      .onConflictDoNothing(),
  ];
}
