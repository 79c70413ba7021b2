/**
 * Environments, API keys and the audit trail in D1 CONTROL. As a key directory it is strongly consistent:
 * a revoked key is refused at once here, within the propagation bound where KV answers.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, desc, eq, isNull, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod/mini";
import { hashSecret } from "../contracts/api-key.ts";
import type { ApiKey, KeyDirectory } from "../contracts/api-key.ts";
import { auditedChange } from "./audited-change.ts";
import type { ChangeRequest } from "./definition-store.ts";
import { apiKeys, auditLog, customers, environments } from "../schema/control/tables.ts";

export interface NewKey {
  id: string;
  kind: ApiKey["kind"];
  role?: NonNullable<ApiKey["role"]>;
  name: string;
  hash: string;
  origins?: string[];
}

export type EnvironmentStore = ReturnType<typeof environmentStore>;

export function environmentStore(d1: D1Database) {
  const db = drizzle(d1);

  async function environmentOf(name: string): Promise<string | null> {
    const [customer = "", environment = "", ...rest] = name.split("/");
    if (rest.length > 0) return null;
    const [row] = await db
      .select({ id: environments.id })
      .from(environments)
      .innerJoin(customers, eq(customers.id, environments.customerId))
      .where(and(eq(customers.key, customer), eq(environments.key, environment)));
    return row?.id ?? null;
  }

  const directory: KeyDirectory = {
    async keyOf(secret) {
      const [row] = await db
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.hash, await hashSecret(secret)), isNull(apiKeys.revokedAt)));
      return row === undefined ? null : keyOf(row);
    },
    environmentOf,
  };

  return {
    ...directory,

    async addKey(request: ChangeRequest, { origins, hash, ...key }: NewKey): Promise<void> {
      const { environment: environmentId, at: createdAt } = request;
      await db.batch([
        ...auditedChange(d1, request, {
          action: "create",
          entity: "key",
          key: key.id,
          after: { ...key, ...(origins && { origins }) },
        }),
        db.insert(apiKeys).values({
          ...key,
          hash,
          environmentId,
          createdAt,
          origins: origins === undefined ? null : JSON.stringify(origins),
          published: false,
        }),
      ]);
    },

    /** The key's hash, or null when the environment has no such key in force. */
    async revokeKey(request: ChangeRequest, id: string): Promise<string | null> {
      const { environment, at } = request;
      const inForce = and(
        eq(apiKeys.environmentId, environment),
        eq(apiKeys.id, id),
        isNull(apiKeys.revokedAt),
      );
      const [row] = await db.select().from(apiKeys).where(inForce);
      if (row === undefined) return null;
      const { kind, role, name } = row;
      await db.batch([
        ...auditedChange(d1, request, {
          action: "revoke",
          entity: "key",
          key: id,
          after: { id, kind, role, name, revokedAt: at },
        }),
        db.update(apiKeys).set({ revokedAt: at, published: false }).where(inForce),
      ]);
      return row.hash;
    },

    async keys(environment: string) {
      const rows = await db.select().from(apiKeys).where(eq(apiKeys.environmentId, environment));
      return rows.map(({ id, kind, role, name, createdAt, revokedAt, origins }) => ({
        id,
        kind,
        role,
        name,
        createdAt,
        revokedAt,
        origins: originsOf(origins) ?? null,
      }));
    },

    /** Keys that KV does not hold as they are; null where KV must hold none. */
    async unpublishedKeys(): Promise<{ hash: string; key: ApiKey | null }[]> {
      const rows = await db.select().from(apiKeys).where(eq(apiKeys.published, false)).limit(500);
      return rows.map((row) => ({
        hash: row.hash,
        key: row.revokedAt === null ? keyOf(row) : null,
      }));
    },

    /** KV holds the key, or holds it no more. When CONTROL says otherwise by now, it counts as not published. */
    async keyPublished(hash: string, isHeld: boolean): Promise<void> {
      const isInForce = isNull(apiKeys.revokedAt);
      await db
        .update(apiKeys)
        .set({ published: isHeld ? sql`${isInForce}` : sql`not (${isInForce})` })
        .where(eq(apiKeys.hash, hash));
    },

    async environment(id: string) {
      const [row] = await db
        .select({
          id: environments.id,
          version: environments.version,
          publishedVersion: environments.publishedVersion,
          name: environments.key,
          customer: customers.key,
        })
        .from(environments)
        .innerJoin(customers, eq(customers.id, environments.customerId))
        .where(eq(environments.id, id));
      return row ?? null;
    },

    /** Environments whose published version lags. */
    async unpublishedEnvironments(): Promise<string[]> {
      const rows = await db
        .select({ id: environments.id })
        .from(environments)
        .where(lt(environments.publishedVersion, environments.version))
        .limit(100);
      return rows.map(({ id }) => id);
    },

    /** KV holds this version now. False when CONTROL has moved on: then the environment lags, whatever others have published. */
    async environmentPublished(id: string, version: number): Promise<boolean> {
      const [row] = await db
        .update(environments)
        .set({
          publishedVersion: sql`case when ${environments.version} = ${version} then ${version} else 0 end`,
        })
        .where(eq(environments.id, id))
        .returning({ publishedVersion: environments.publishedVersion });
      return row?.publishedVersion === version;
    },

    /** Newest first, before `beforeVersion` when given. */
    async audit(environment: string, limit: number, beforeVersion?: number) {
      return await db
        .select()
        .from(auditLog)
        .where(
          and(
            eq(auditLog.environmentId, environment),
            beforeVersion === undefined ? undefined : lt(auditLog.version, beforeVersion),
          ),
        )
        .orderBy(desc(auditLog.version), desc(auditLog.id))
        .limit(limit);
    },
  };
}

function keyOf(row: typeof apiKeys.$inferSelect): ApiKey {
  const origins = originsOf(row.origins);
  return {
    v: 1,
    id: row.id,
    kind: row.kind,
    environment: row.environmentId,
    ...(row.role !== null && { role: row.role }),
    ...(origins !== undefined && { origins }),
  };
}

function originsOf(json: string | null): string[] | undefined {
  return json === null ? undefined : z.parse(z.array(z.string()), JSON.parse(json));
}
