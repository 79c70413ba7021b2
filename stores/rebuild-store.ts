/**
 * Rebuilds of one shard METRICS_s: where each stands, and what is done to the `…_rebuild` tables besides folding into them.
 * Every step is one transaction that holds only as long as the rebuild stands where whoever takes it thinks it does:
 * of two that take the same step one is told so, and nothing is done twice.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod/mini";

const rebuildStatus = z.enum([
  /** What an earlier rebuild left is being removed. */
  "emptying",
  /** The archive is being folded. */
  "reading",
  /** Consumers fold into the rebuild's tables as well; the end of the archive is being folded. */
  "catching-up",
  /** Both sets of tables have counted the same events. */
  "comparing",
  /** What was replaced, or was found to be the same, is being removed. */
  "tidying",
  "done",
]);

export type RebuildStatus = z.output<typeof rebuildStatus>;

const rebuildRow = z.object({
  id: z.string(),
  reason: z.string(),
  status: rebuildStatus,
  requestedAtMs: z.number(),
  steppedAtMs: z.number(),
  cursor: z.string(),
  plans: z.string(),
});

export type Rebuild = z.output<typeof rebuildRow>;

/** Where a rebuild stands after a step. */
export interface RebuildStep {
  status: RebuildStatus;
  cursor?: string;
  plans?: string;
  events?: number;
  /** JSON. */
  difference?: string;
  nowMs: number;
}

export interface RebuildStore {
  /** False when another is under way. */
  request(id: string, reason: string, nowMs: number): Promise<boolean>;
  /** The last one that was requested. */
  last(): Promise<Rebuild | null>;
  /** False: the rebuild stands elsewhere by now, and nothing was done. */
  step(from: Rebuild, to: RebuildStep): Promise<boolean>;
  /** As `step`, and from then on the consumer folds into both. */
  beginMirroring(from: Rebuild, to: RebuildStep): Promise<boolean>;
  /** Removes some rows of the rebuild's tables: "more" when there are more of them, "elsewhere" as `step` tells false. */
  empty(at: Rebuild): Promise<"empty" | "more" | "elsewhere">;
  /** As `step`, and the consumer no longer folds into both. Rows of the experiments change places when `swap` says so. */
  finish(
    from: Rebuild,
    to: RebuildStep,
    swap: { experiments: readonly string[] } | null,
  ): Promise<boolean>;
  /** Environments whose experiments have rows. */
  environments(): Promise<string[]>;
}

/** Of each table and step: D1 gives a query 30 s. */
const rowsAStep = 20_000;
const movedOn = /NOT NULL constraint failed: rebuilds\.status/;

const place =
  "environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours";
const keys = {
  units: "key",
  populations: place,
  cells: `${place}, metric`,
  tallies: "environment, experiment, phase, cause, detail",
  dimension_values: "environment, experiment, phase, dimension",
} as const;

const tables = ["units", "populations", "cells", "tallies", "dimension_values"] as const;
const counted = ["populations", "cells", "tallies", "dimension_values"] as const;

/** How an experiment is named in a list of them. */
export function experimentKey(environment: string, experiment: string): string {
  return `${environment}\u001f${experiment}`;
}

export function rebuildStore(db: D1Database): RebuildStore {
  /** Fails the whole batch when the rebuild stands elsewhere. */
  function moved(from: Rebuild, to: RebuildStep): D1PreparedStatement {
    return db
      .prepare(
        `UPDATE rebuilds SET status = CASE WHEN status = ?2 AND cursor = ?3 THEN ?4 END, cursor = ?5, plans = ?6,
           events = events + ?7, difference = coalesce(?8, difference), stepped_at_ms = ?9 WHERE id = ?1`,
      )
      .bind(
        from.id,
        from.status,
        from.cursor,
        to.status,
        to.cursor ?? from.cursor,
        to.plans ?? from.plans,
        to.events ?? 0,
        to.difference ?? null,
        to.nowMs,
      );
  }

  async function attempt(statements: D1PreparedStatement[]): Promise<boolean> {
    try {
      const [first] = await db.batch(statements);
      return first?.meta.changes === 1;
    } catch (error) {
      if (error instanceof Error && movedOn.test(error.message)) return false;
      throw error;
    }
  }

  const mirror = (on: 0 | 1) => [
    // Whoever has read documents without the mirror, or with it, reads again.
    db.prepare("UPDATE meta SET version = version + 1"),
    db.prepare("UPDATE meta SET mirrored = ?1 WHERE id = 2").bind(on),
  ];

  return {
    async request(id, reason, nowMs) {
      const { meta } = await db
        .prepare(
          `INSERT INTO rebuilds (id, reason, status, requested_at_ms, stepped_at_ms, cursor, plans, events)
           SELECT ?1, ?2, 'emptying', ?3, 0, '', '', 0
           WHERE NOT EXISTS (SELECT 1 FROM rebuilds WHERE status <> 'done')`,
        )
        .bind(id, reason, nowMs)
        .run();
      return meta.changes === 1;
    },

    async last() {
      const row = await db
        .prepare(
          `SELECT id, reason, status, requested_at_ms AS requestedAtMs, stepped_at_ms AS steppedAtMs, cursor, plans
           FROM rebuilds ORDER BY id DESC LIMIT 1`,
        )
        .first();
      return row === null ? null : z.parse(rebuildRow, row);
    },

    step: (from, to) => attempt([moved(from, to)]),

    beginMirroring: (from, to) => attempt([moved(from, to), ...mirror(1)]),

    async empty(at) {
      const stay = moved(at, { status: at.status, nowMs: at.steppedAtMs });
      const removals = tables.map((table) =>
        db.prepare(
          `DELETE FROM ${table}_rebuild WHERE (${keys[table]}) IN
             (SELECT ${keys[table]} FROM ${table}_rebuild LIMIT ${rowsAStep})`,
        ),
      );
      try {
        const [, ...results] = await db.batch([stay, ...removals]);
        return results.some(({ meta }) => meta.changes > 0) ? "more" : "empty";
      } catch (error) {
        if (error instanceof Error && movedOn.test(error.message)) return "elsewhere";
        throw error;
      }
    },

    async finish(from, to, swap) {
      const swapped = swap === null ? [] : swapStatements(db, swap.experiments);
      return attempt([moved(from, to), ...swapped, ...mirror(0)]);
    },

    async environments() {
      const { results } = await db
        .prepare("SELECT DISTINCT environment FROM activity")
        .all<{ environment: string }>();
      return results.map(({ environment }) => environment);
    },
  };
}

/** What is counted anew takes the place of what is read, but for experiments that are no longer counted: they stay as they were. */
function swapStatements(db: D1Database, experiments: readonly string[]): D1PreparedStatement[] {
  const others = "(environment || char(31) || experiment) NOT IN (SELECT value FROM json_each(?1))";
  const list = JSON.stringify(experiments);
  return [
    ...counted.flatMap((table) => [
      db.prepare(`DELETE FROM ${table}_rebuild WHERE ${others}`).bind(list),
      db.prepare(`INSERT INTO ${table}_rebuild SELECT * FROM ${table} WHERE ${others}`).bind(list),
    ]),
    ...tables.flatMap((table) => [
      db.prepare(`ALTER TABLE ${table} RENAME TO ${table}_replaced`),
      db.prepare(`ALTER TABLE ${table}_rebuild RENAME TO ${table}`),
      db.prepare(`ALTER TABLE ${table}_replaced RENAME TO ${table}_rebuild`),
    ]),
    // So that the cron analyses every experiment again.
    db.prepare("UPDATE activity SET version = (SELECT version + 1 FROM meta WHERE id = 1)"),
  ];
}
