/**
 * Definitions and experiments of an environment in D1 CONTROL, the truth.
 * Reads are consistent; every change increments the environment's version and appends to the audit log in the same batch,
 * and is rolled back whole when somebody else changed the environment since the reading that it was decided on.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQL } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import { holdout } from "../contracts/holdout.ts";
import { layer } from "../contracts/layer.ts";
import { metricBody } from "../contracts/metric.ts";
import { phase } from "../contracts/phase.ts";
import { refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import { segmentBody } from "../contracts/segment.ts";
import { flag } from "../contracts/snapshot.ts";
import type {
  Decision,
  DefinitionBodies,
  DefinitionOf,
  Entity,
  EnvironmentState,
  Write,
} from "../control/environment-state.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import { auditLog, definitions, environments, experiments } from "../schema/control/tables.ts";
import { noticeStatements } from "./outbox.ts";

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

/** The documents in `definitions.body`. */
const documents: { [E in Entity]: z.ZodMiniType<DefinitionBodies[E]> } = {
  flag,
  metric: metricBody,
  layer,
  holdout,
  segment: segmentBody,
};

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
    const told = (decision.notices ?? []).flatMap((notice) =>
      noticeStatements(d1, request.environment, notice),
    );
    try {
      await db.batch([guard, audit, ...writes, ...told]);
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
      archivedAt: definition.archivedAt,
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

  /** One consistent reading of everything, or null when there is no such environment. */
  async function state(environment: string): Promise<EnvironmentState | null> {
    const [found, definitionRows, experimentRows] = await db.batch([
      environmentById(environment),
      definitionsOf(environment),
      experimentsOf(environment),
    ]);
    const row = found[0];
    if (row === undefined) return null;
    const those = <E extends Entity>(entity: E) =>
      definitionRows
        .filter(({ kind }) => kind === entity)
        .map((each) => definitionOf(entity, each));
    return {
      id: row.id,
      version: row.version,
      flags: those("flag"),
      metrics: those("metric"),
      layers: those("layer"),
      holdouts: those("holdout"),
      segments: those("segment"),
      experiments: experimentRows.map(recordOf),
    };
  }

  return {
    /** Null when there is none in force. */
    async definition<E extends Entity>(
      environment: string,
      entity: E,
      key: string,
    ): Promise<DefinitionOf<E> | null> {
      const [row] = await definitionsOf(
        environment,
        eq(definitions.kind, entity),
        eq(definitions.key, key),
        isNull(definitions.archivedAt),
      );
      return row === undefined ? null : definitionOf(entity, row);
    },

    /** Those in force, by key. */
    async definitions<E extends Entity>(
      environment: string,
      entity: E,
    ): Promise<DefinitionOf<E>[]> {
      const rows = await definitionsOf(
        environment,
        eq(definitions.kind, entity),
        isNull(definitions.archivedAt),
      );
      return rows.map((row) => definitionOf(entity, row));
    },

    async experiment(environment: string, key: string): Promise<ExperimentRecord | null> {
      const rows = await experimentsOf(environment, eq(experiments.key, key));
      return rows[0] === undefined ? null : recordOf(rows[0]);
    },

    /** Those that there are, in no order. */
    async experimentsNamed(
      environment: string,
      keys: readonly string[],
    ): Promise<ExperimentRecord[]> {
      const isNamed = sql`${experiments.key} in (select value from json_each(${JSON.stringify(keys)}))`;
      return (await experimentsOf(environment, isNamed)).map(recordOf);
    },

    async experiments(environment: string): Promise<ExperimentRecord[]> {
      const rows = await experimentsOf(environment);
      return rows.map(recordOf);
    },

    state,

    /** Decides on the state as it is, and again on the newer one when somebody else was faster. */
    async change<T>(
      request: ChangeRequest,
      decide: (state: EnvironmentState) => Result<Decision<T>>,
    ): Promise<Result<T>> {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const before = await state(request.environment);
        if (before === null) return refuse("not-found", "There is no such environment.");
        const decision = decide(before);
        if (!decision.ok) return decision;
        if (await commit(request, before.version, decision.value)) {
          return { ok: true, value: decision.value.value };
        }
      }
      return refuse("unavailable", "The environment is being changed by others; try again.", {
        retryAfterSeconds: 1,
      });
    },
  };
}

function definitionOf<E extends Entity>(
  entity: E,
  { id, version, body, createdAt, updatedAt, archivedAt }: typeof definitions.$inferSelect,
): DefinitionOf<E> {
  const document = z.parse(documents[entity], JSON.parse(body));
  return { id, version, body: document, createdAt, updatedAt, archivedAt };
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
