/**
 * Webhooks and what is to be delivered to them, in D1 CONTROL. A delivery is claimed before it is attempted, by moving its next attempt
 * on: of two consumers one sends, and what a killed one did not report is sent again when the next attempt is due.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, asc, desc, eq, exists, isNotNull, isNull, lt, lte, not, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod/mini";
import { noticeKinds } from "../contracts/notice.ts";
import type { Notice, NoticeKind } from "../contracts/notice.ts";
import { deliveries, notices, webhooks } from "../schema/control/tables.ts";
import { auditedChange } from "./audited-change.ts";
import type { AuditedChange } from "./audited-change.ts";
import type { ChangeRequest } from "./definition-store.ts";
import { noticeStatements } from "./outbox.ts";

export interface Webhook {
  id: string;
  url: string;
  events: NoticeKind[];
  createdAt: string;
}

export interface Delivery {
  notice: string;
  webhook: string;
  /** Before this one. */
  attempts: number;
}

/** What an attempt sends. */
export interface Sending extends Delivery {
  url: string;
  secret: string;
  body: string;
}

const recentDeliveries = 50;
/** Of one step. */
const mostRemoved = 500;
/** Of one tick. */
const mostDue = 500;

export type WebhookStore = ReturnType<typeof webhookStore>;

export function webhookStore(d1: D1Database) {
  const db = drizzle(d1);
  const inForce = (environment: string) =>
    and(eq(webhooks.environmentId, environment), isNull(webhooks.removedAt));
  const keyOf = ({ notice, webhook }: Delivery) =>
    and(eq(deliveries.notice, notice), eq(deliveries.webhook, webhook));

  async function tell(environment: string, notice: Notice): Promise<void> {
    const [first, ...rest] = noticeStatements(d1, environment, notice);
    if (first !== undefined) await db.batch([first, ...rest]);
  }

  return {
    async webhooks(environment: string): Promise<Webhook[]> {
      const rows = await db
        .select()
        .from(webhooks)
        .where(inForce(environment))
        .orderBy(asc(webhooks.id));
      return rows.map(webhookOf);
    },

    async add(request: ChangeRequest, { secret, ...webhook }: Webhook & { secret: string }) {
      const { environment } = request;
      await db.batch([
        ...auditedChange(d1, request, changeOf("create", webhook)),
        db.insert(webhooks).values({
          ...webhook,
          secret,
          environmentId: environment,
          events: JSON.stringify(webhook.events),
        }),
      ]);
    },

    /** Null when the environment has none of that id in force. */
    async webhook(environment: string, id: string) {
      const [row] = await db
        .select()
        .from(webhooks)
        .where(and(inForce(environment), eq(webhooks.id, id)));
      if (row === undefined) return null;
      const sent = await db
        .select({
          event: deliveries.notice,
          type: notices.kind,
          attempts: deliveries.attempts,
          nextAttemptAtMs: deliveries.nextAttemptAtMs,
          deliveredAt: deliveries.deliveredAt,
          lastError: deliveries.lastError,
        })
        .from(deliveries)
        .innerJoin(notices, eq(notices.id, deliveries.notice))
        .where(eq(deliveries.webhook, id))
        .orderBy(desc(deliveries.notice))
        .limit(recentDeliveries);
      return { ...webhookOf(row), deliveries: sent };
    },

    /** False when there is none in force. */
    async replace(request: ChangeRequest, webhook: Webhook): Promise<boolean> {
      const { id, url, events } = webhook;
      const [, , changed] = await db.batch([
        ...auditedChange(d1, request, changeOf("update", webhook)),
        db
          .update(webhooks)
          .set({ url, events: JSON.stringify(events) })
          .where(and(inForce(request.environment), eq(webhooks.id, id)))
          .returning({ id: webhooks.id }),
      ]);
      return changed.length > 0;
    },

    /** What waits to be delivered there is given up. False when there is none. */
    async remove(request: ChangeRequest, webhook: Webhook): Promise<boolean> {
      const { id } = webhook;
      const [, , removed] = await db.batch([
        ...auditedChange(d1, request, changeOf("remove", webhook)),
        db
          .update(webhooks)
          .set({ removedAt: request.at })
          .where(and(inForce(request.environment), eq(webhooks.id, id)))
          .returning({ id: webhooks.id }),
        db
          .update(deliveries)
          .set({ nextAttemptAtMs: null, lastError: "the webhook was removed" })
          .where(and(isNotNull(deliveries.nextAttemptAtMs), eq(deliveries.webhook, id))),
      ]);
      return removed.length > 0;
    },

    /** In a transaction of its own. */
    tell,

    /** Tells every environment that asks for it: what is about no one environment. */
    async tellAll(notice: Notice): Promise<void> {
      const asking = await db
        .selectDistinct({ environment: webhooks.environmentId })
        .from(webhooks)
        .where(
          and(
            isNull(webhooks.removedAt),
            sql`exists (select 1 from json_each(${webhooks.events}) where value = ${notice.kind})`,
          ),
        );
      for (const { environment } of asking) {
        await tell(environment, { ...notice, id: `${notice.id}-${environment}` });
      }
    },

    /** Those whose time has come, the longest waiting first. */
    async due(nowMs: number): Promise<Delivery[]> {
      return await db
        .select({
          notice: deliveries.notice,
          webhook: deliveries.webhook,
          attempts: deliveries.attempts,
        })
        .from(deliveries)
        .where(lte(deliveries.nextAttemptAtMs, nowMs))
        .orderBy(asc(deliveries.nextAttemptAtMs))
        .limit(mostDue);
    },

    /**
     * Removes notices of before that ISO instant with their deliveries, but for those with an attempt to come, and webhooks that were removed before
     * then. True: there may be more.
     */
    async removeBefore(at: string): Promise<boolean> {
      const isPending = db
        .select()
        .from(deliveries)
        .where(and(eq(deliveries.notice, notices.id), isNotNull(deliveries.nextAttemptAtMs)));
      const old = await db
        .select({ id: notices.id })
        .from(notices)
        .where(and(lt(notices.at, at), not(exists(isPending))))
        .limit(mostRemoved);
      const ids = JSON.stringify(old.map(({ id }) => id));
      const isNamed = db.select().from(deliveries).where(eq(deliveries.webhook, webhooks.id));
      await db.batch([
        db
          .delete(deliveries)
          .where(sql`${deliveries.notice} in (select value from json_each(${ids}))`),
        db.delete(notices).where(sql`${notices.id} in (select value from json_each(${ids}))`),
        db.delete(webhooks).where(and(lt(webhooks.removedAt, at), not(exists(isNamed)))),
      ]);
      return old.length === mostRemoved;
    },

    /** Null when somebody else attempts it, or nothing is left to do. */
    async claim(delivery: Delivery, nextAttemptAtMs: number): Promise<Sending | null> {
      const [claimed] = await db
        .update(deliveries)
        .set({ attempts: delivery.attempts + 1, nextAttemptAtMs })
        .where(
          and(
            keyOf(delivery),
            eq(deliveries.attempts, delivery.attempts),
            isNotNull(deliveries.nextAttemptAtMs),
          ),
        )
        .returning();
      if (claimed === undefined) return null;
      const [found] = await db
        .select({ url: webhooks.url, secret: webhooks.secret, body: notices.body })
        .from(webhooks)
        .innerJoin(notices, eq(notices.id, delivery.notice))
        .where(eq(webhooks.id, delivery.webhook));
      return found === undefined ? null : { ...delivery, ...found };
    },

    async delivered(delivery: Delivery, at: string): Promise<void> {
      await db
        .update(deliveries)
        .set({ deliveredAt: at, nextAttemptAtMs: null, lastError: null })
        .where(keyOf(delivery));
    },

    /** @param isLast it is given up */
    async failed(delivery: Delivery, error: string, isLast: boolean): Promise<void> {
      await db
        .update(deliveries)
        .set({ lastError: error, ...(isLast && { nextAttemptAtMs: null }) })
        .where(keyOf(delivery));
    },
  };
}

function changeOf(action: string, { id, url, events }: Webhook): AuditedChange {
  return { action, entity: "webhook", key: id, after: { id, url, events } };
}

function webhookOf({ id, url, events, createdAt }: typeof webhooks.$inferSelect): Webhook {
  return {
    id,
    url,
    events: z.parse(z.array(z.enum(noticeKinds)), JSON.parse(events)),
    createdAt,
  };
}
