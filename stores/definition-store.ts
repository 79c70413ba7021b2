/**
 * Definitions and experiments of an environment in D1 CONTROL, the truth.
 * Reads are consistent; every change increments the environment's version and appends to the audit log in the same batch,
 * and is rolled back whole when somebody else changed the environment since its decision began.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, asc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQL } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import { metricBody } from "../contracts/metric.ts";
import type { MetricBody } from "../contracts/metric.ts";
import { phase } from "../contracts/phase.ts";
import { refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import { flag as flagDocument } from "../contracts/snapshot.ts";
import type { EnvironmentState } from "../control/build-snapshot.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import type { Flag } from "../core/index.ts";
import { auditLog, definitions, environments, experiments } from "../schema/control/tables.ts";

export interface Definition<T> {
  id: string;
  version: number;
  body: T;
  createdAt: string;
  updatedAt: string;
}

export type Write =
  | { entity: "metric"; definition: Definition<MetricBody> }
  | { entity: "flag"; definition: Definition<Flag> }
  | { entity: "experiment"; record: ExperimentRecord };

/** What a change does, and how the audit log tells it. The first write is the entity that it is about. */
export interface Decision<T> {
  action: string;
  reason?: string;
  writes: [Write, ...Write[]];
  value: T;
}

export interface ChangeRequest {
  environment: string;
  /** The API key's id, or "cron". */
  actor: string;
  auditId: string;
  /** ISO-8601. */
  at: string;
}

const attempts = 8;
const lostRace = /NOT NULL constraint failed: environments\.version/;

export type DefinitionStore = ReturnType<typeof definitionStore>;

export function definitionStore(d1: D1Database) {
  const db = drizzle(d1);

  const definitionsOf = (environment: string, ...more: SQL[]) =>
    db
      .select()
      .from(definitions)
      .where(and(eq(definitions.environmentId, environment), ...more))
      .orderBy(asc(definitions.key));

  const experimentsOf = (environment: string, ...more: SQL[]) =>
    db
      .select()
      .from(experiments)
      .where(and(eq(experiments.environmentId, environment), ...more))
      .orderBy(asc(experiments.key));

  const environmentById = (environment: string) =>
    db.select().from(environments).where(eq(environments.id, environment));

  async function definition(environment: string, kind: "metric" | "flag", key: string) {
    const rows = await definitionsOf(
      environment,
      eq(definitions.kind, kind),
      eq(definitions.key, key),
    );
    return rows[0] ?? null;
  }

  async function commit<T>(
    request: ChangeRequest,
    version: number,
    decision: Decision<T>,
  ): Promise<boolean> {
    const guard = db
      .update(environments)
      .set({ version: sql`case when version = ${version} then version + 1 end` })
      .where(eq(environments.id, request.environment));
    const subject = described(decision.writes[0]);
    const audit = db.insert(auditLog).values({
      id: request.auditId,
      environmentId: request.environment,
      version: version + 1,
      at: request.at,
      actor: request.actor,
      action: decision.action,
      entity: subject.entity,
      entityKey: subject.key,
      reason: decision.reason ?? null,
      after: JSON.stringify(subject.body),
    });
    const writes: BatchItem<"sqlite">[] = decision.writes.map((write) =>
      put(request.environment, write),
    );
    try {
      await db.batch([guard, audit, ...writes]);
      return true;
    } catch (error) {
      if (lostRace.test(messageOf(error))) return false;
      throw error;
    }
  }

  function put(environmentId: string, write: Write): BatchItem<"sqlite"> {
    if (write.entity === "experiment") {
      const { record } = write;
      const row = {
        version: record.version,
        status: record.status,
        body: JSON.stringify(record.body),
        phases: JSON.stringify(record.phases),
        updatedAt: record.updatedAt,
      };
      return db
        .insert(experiments)
        .values({
          ...row,
          environmentId,
          key: record.key,
          id: record.id,
          createdAt: record.createdAt,
        })
        .onConflictDoUpdate({ target: [experiments.environmentId, experiments.key], set: row });
    }
    const { entity, definition } = write;
    const row = {
      version: definition.version,
      body: JSON.stringify(definition.body),
      updatedAt: definition.updatedAt,
    };
    return db
      .insert(definitions)
      .values({
        ...row,
        environmentId,
        kind: entity,
        key: definition.body.key,
        id: definition.id,
        createdAt: definition.createdAt,
      })
      .onConflictDoUpdate({
        target: [definitions.environmentId, definitions.kind, definitions.key],
        set: row,
      });
  }

  return {
    async metric(environment: string, key: string): Promise<Definition<MetricBody> | null> {
      const row = await definition(environment, "metric", key);
      return row === null ? null : { ...row, body: z.parse(metricBody, JSON.parse(row.body)) };
    },

    async metrics(environment: string): Promise<Definition<MetricBody>[]> {
      const rows = await definitionsOf(environment, eq(definitions.kind, "metric"));
      return rows.map((row) => ({ ...row, body: z.parse(metricBody, JSON.parse(row.body)) }));
    },

    async flag(environment: string, key: string): Promise<Definition<Flag> | null> {
      const row = await definition(environment, "flag", key);
      return row === null ? null : { ...row, body: z.parse(flagDocument, JSON.parse(row.body)) };
    },

    async experiment(environment: string, key: string): Promise<ExperimentRecord | null> {
      const rows = await experimentsOf(environment, eq(experiments.key, key));
      return rows[0] === undefined ? null : recordOf(rows[0]);
    },

    async experiments(environment: string): Promise<ExperimentRecord[]> {
      const rows = await experimentsOf(environment);
      return rows.map(recordOf);
    },

    /** One consistent reading of all that is published, or null when there is no such environment. */
    async state(environment: string): Promise<EnvironmentState | null> {
      const [found, definitionRows, experimentRows] = await db.batch([
        environmentById(environment),
        definitionsOf(environment),
        experimentsOf(environment),
      ]);
      const row = found[0];
      if (row === undefined) return null;
      const bodies = (kind: string) =>
        definitionRows.filter((d) => d.kind === kind).map((d): unknown => JSON.parse(d.body));
      return {
        id: row.id,
        version: row.version,
        flags: z.parse(z.array(flagDocument), bodies("flag")),
        metrics: z.parse(z.array(metricBody), bodies("metric")),
        experiments: experimentRows.map(recordOf),
      };
    },

    /** Decides on the state as it is, and again on the newer one when somebody else was faster. */
    async change<T>(
      request: ChangeRequest,
      decide: () => Promise<Result<Decision<T>>>,
    ): Promise<Result<T>> {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const [row] = await environmentById(request.environment);
        if (row === undefined) return refuse("not-found", "There is no such environment.");
        const decision = await decide();
        if (!decision.ok) return decision;
        if (await commit(request, row.version, decision.value)) {
          return { ok: true, value: decision.value.value };
        }
      }
      return refuse("unavailable", "The environment is being changed by others; try again.", {
        retryAfterSeconds: 1,
      });
    },
  };
}

function recordOf(row: typeof experiments.$inferSelect): ExperimentRecord {
  const { id, key, version, status, createdAt, updatedAt } = row;
  return {
    id,
    key,
    version,
    status,
    createdAt,
    updatedAt,
    body: z.parse(experimentBody, JSON.parse(row.body)),
    phases: z.parse(z.array(phase), JSON.parse(row.phases)),
  };
}

function described(write: Write): { entity: string; key: string; body: unknown } {
  return write.entity === "experiment"
    ? { entity: "experiment", key: write.record.key, body: write.record }
    : { entity: write.entity, key: write.definition.body.key, body: write.definition.body };
}

/** drizzle wraps D1's error; the constraint is named in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.cause === undefined ? "" : messageOf(error.cause)}`;
}
