/**
 * The ledgers of looks and the last refresh of each experiment, in D1 CONTROL.
 * Looks are only ever inserted: two analyses at once cannot both take the same one, the later is told so.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { and, asc, eq, inArray, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod/mini";
import type { LedgerRow } from "../analysis/ledger.ts";
import { lookFigures, lookInference } from "../contracts/look-figures.ts";
import type { Notice } from "../contracts/notice.ts";
import { experiments, looks, results } from "../schema/control/tables.ts";
import { auditedChange } from "./audited-change.ts";
import type { ChangeRequest } from "./definition-store.ts";
import { noticeStatements } from "./outbox.ts";

export interface ExperimentPhase {
  environment: string;
  experiment: string;
  phase: number;
}

/** A refresh: its answer as JSON text, and what it was computed from. */
export interface Refresh {
  environment: string;
  experiment: string;
  asOfMs: number;
  /** `activity.version` of each shard, so that an unchanged experiment is left alone. */
  activity: number[];
  /** From then on every unit seen has matured, and without new data nothing changes. */
  settlesAtMs: number;
  body: string;
}

/** What an earlier answer says of a sample-ratio mismatch. */
export interface EarlierEvidence {
  phase: number;
  logEvidence: number;
}

/** A row of some phase's ledger. */
export interface PhaseLook {
  phase: number;
  row: LedgerRow;
}

/** An experiment with a phase, and its last refresh if there was one. */
export interface StartedExperiment {
  environment: string;
  experiment: string;
  /** When it was last changed, by a person or the cron. */
  changedAtMs: number;
  refreshed: Pick<Refresh, "asOfMs" | "activity" | "settlesAtMs"> | null;
}

/** What else belongs to the transaction of a look. */
export interface Appended {
  notices?: readonly Notice[];
  /** By a person: audited, and the answer is made anew at the cron's next tick. */
  asked?: { request: ChangeRequest; reason: string };
}

/** D1: a statement has at most 100 bound parameters. */
const rowsPerInsert = 4;

export type LedgerStore = ReturnType<typeof ledgerStore>;

export function ledgerStore(d1: D1Database) {
  const db = drizzle(d1);

  function put(refresh: Refresh): BatchItem<"sqlite"> {
    const { environment, experiment, asOfMs, activity, settlesAtMs, body } = refresh;
    const row = {
      settlesAtMs,
      asOf: new Date(asOfMs).toISOString(),
      activity: JSON.stringify(activity),
      body,
    };
    return db
      .insert(results)
      .values({ ...row, environmentId: environment, experiment })
      .onConflictDoUpdate({ target: [results.environmentId, results.experiment], set: row });
  }

  const unsettled = (environment: string, experiment: string) =>
    db
      .update(results)
      .set({ settlesAtMs: Number.MAX_SAFE_INTEGER })
      .where(and(eq(results.environmentId, environment), eq(results.experiment, experiment)));

  function askedBy(
    { experiment, environment }: ExperimentPhase,
    rows: readonly LedgerRow[],
    { request, reason }: NonNullable<Appended["asked"]>,
  ) {
    const after = rows.map(({ inference: _inference, ...row }) => row);
    const change = {
      action: "look",
      entity: "experiment",
      key: experiment,
      reason,
      after,
    } as const;
    return [...auditedChange(d1, request, change), unsettled(environment, experiment)];
  }

  return {
    /** Oldest first. */
    async looks({ environment, experiment, phase }: ExperimentPhase): Promise<LedgerRow[]> {
      const rows = await db
        .select()
        .from(looks)
        .where(
          and(
            eq(looks.environmentId, environment),
            eq(looks.experiment, experiment),
            eq(looks.phase, phase),
          ),
        )
        .orderBy(asc(looks.watermarkMs), asc(looks.metric), asc(looks.variant));
      return rows.map(ledgerRowOf);
    },

    /** What is known of several experiments, by key: ledgers of all phases, oldest first. */
    async readMany(
      environment: string,
      keys: readonly string[],
    ): Promise<{ evidence: Map<string, EarlierEvidence>; looks: Map<string, PhaseLook[]> }> {
      const named = JSON.stringify(keys);
      const isNamed = (table: typeof looks | typeof results) =>
        and(
          eq(table.environmentId, environment),
          sql`${table.experiment} in (select value from json_each(${named}))`,
        );
      const [answered, lookRows] = await db.batch([
        db
          .select({
            experiment: results.experiment,
            // As JSON text: numbers are those that were written, to the last digit.
            evidence: sql<string>`json_array(${results.body} -> '$.phase', ${results.body} -> '$.sampleRatio.logEvidence')`,
          })
          .from(results)
          .where(isNamed(results)),
        db
          .select()
          .from(looks)
          .where(isNamed(looks))
          .orderBy(asc(looks.watermarkMs), asc(looks.metric), asc(looks.variant)),
      ]);
      return {
        evidence: new Map(answered.map((row) => [row.experiment, evidenceOf(row.evidence)])),
        looks: Map.groupBy(
          lookRows.map((row) => ({
            experiment: row.experiment,
            phase: row.phase,
            row: ledgerRowOf(row),
          })),
          ({ experiment }) => experiment,
        ),
      };
    },

    /** All rows of one look, and what is to be told of it, or none; false when somebody else has taken it. */
    async append(
      of: ExperimentPhase,
      rows: readonly LedgerRow[],
      { notices = [], asked }: Appended = {},
    ): Promise<boolean> {
      const inserts = [];
      for (let start = 0; start < rows.length; start += rowsPerInsert) {
        const values = rows.slice(start, start + rowsPerInsert).map((row) => rowOf(of, row));
        inserts.push(db.insert(looks).values(values));
      }
      const [first, ...rest] = inserts;
      if (first === undefined) return true;
      try {
        await db.batch([
          first,
          ...rest,
          ...notices.flatMap((notice) => noticeStatements(d1, of.environment, notice)),
          ...(asked ? askedBy(of, rows, asked) : []),
        ]);
        return true;
      } catch (error) {
        const cause = error instanceof Error ? `${error.message} ${String(error.cause)}` : "";
        if (cause.includes("UNIQUE constraint failed: looks.")) return false;
        throw error;
      }
    },

    async refresh(environment: string, experiment: string): Promise<Refresh | null> {
      const [row] = await db
        .select()
        .from(results)
        .where(and(eq(results.environmentId, environment), eq(results.experiment, experiment)));
      return row === undefined ? null : refreshOf(row);
    },

    /** Of every environment: running, paused and completed ones. */
    async started(): Promise<StartedExperiment[]> {
      const rows = await db
        .select({
          environment: experiments.environmentId,
          experiment: experiments.key,
          changedAt: experiments.updatedAt,
          asOf: results.asOf,
          activity: results.activity,
          settlesAtMs: results.settlesAtMs,
        })
        .from(experiments)
        .leftJoin(
          results,
          and(
            eq(results.environmentId, experiments.environmentId),
            eq(results.experiment, experiments.key),
          ),
        )
        .where(inArray(experiments.status, ["running", "paused", "completed"]));
      return rows.map(({ environment, experiment, changedAt, asOf, activity, settlesAtMs }) => ({
        environment,
        experiment,
        changedAtMs: Date.parse(changedAt),
        refreshed:
          asOf === null || activity === null || settlesAtMs === null
            ? null
            : { asOfMs: Date.parse(asOf), activity: versionsOf(activity), settlesAtMs },
      }));
    },

    /** The answer is made anew at the cron's next tick, whether or not anything was counted since. */
    async unsettle(environment: string, experiment: string): Promise<void> {
      await unsettled(environment, experiment);
    },

    /** In one transaction. */
    async saveAll(
      saved: readonly { refresh: Refresh; notices: readonly Notice[] }[],
    ): Promise<void> {
      const [first, ...rest] = saved.flatMap(({ refresh, notices }) => [
        put(refresh),
        ...notices.flatMap((notice) => noticeStatements(d1, refresh.environment, notice)),
      ]);
      if (first !== undefined) await db.batch([first, ...rest]);
    },
  };
}

function rowOf(of: ExperimentPhase, { takenAtMs, inputs, inference, ...row }: LedgerRow) {
  return {
    ...row,
    environmentId: of.environment,
    experiment: of.experiment,
    phase: of.phase,
    takenAt: new Date(takenAtMs).toISOString(),
    inputs: JSON.stringify(inputs),
    inference: JSON.stringify(inference),
  };
}

function ledgerRowOf(row: typeof looks.$inferSelect): LedgerRow {
  const { environmentId: _e, experiment: _x, phase: _p, takenAt, inputs, inference, ...rest } = row;
  return {
    ...rest,
    takenAtMs: Date.parse(takenAt),
    inputs: z.parse(lookFigures, JSON.parse(inputs)),
    inference: z.parse(lookInference, JSON.parse(inference)),
  };
}

function refreshOf(row: typeof results.$inferSelect): Refresh {
  return {
    environment: row.environmentId,
    experiment: row.experiment,
    asOfMs: Date.parse(row.asOf),
    activity: versionsOf(row.activity),
    settlesAtMs: row.settlesAtMs,
    body: row.body,
  };
}

const evidencePair = z.tuple([z.number(), z.number()]);

function evidenceOf(text: string): EarlierEvidence {
  const [phase, logEvidence] = z.parse(evidencePair, JSON.parse(text));
  return { phase, logEvidence };
}

function versionsOf(activity: string): number[] {
  return z.parse(z.array(z.number()), JSON.parse(activity));
}
