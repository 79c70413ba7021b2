/**
 * The tables of every shard METRICS_0…n. One consumer writes a shard, in one transaction a batch, guarded by `meta.version`.
 * The migration adds WITHOUT ROWID by hand (drizzle cannot say it): every key here is the whole access path.
 */

import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row: the version that a batch must have read to be allowed to write. */
export const meta = sqliteTable("meta", {
  id: integer("id").primaryKey(),
  version: integer("version").notNull(),
});

/** One JSON document a unit: its exposures with what they contribute to cells, and its recent outcomes. */
export const units = sqliteTable("units", {
  /** environment, kind and unit id, separated by U+001F. */
  key: text("key").primaryKey(),
  state: text("state").notNull(),
});

/** Where a cell lies. A cohort is the units first exposed in [start, start + hours), in whole hours since the epoch. */
const population = {
  environment: text("environment").notNull(),
  experiment: text("experiment").notNull(),
  phase: integer("phase").notNull(),
  variant: text("variant").notNull(),
  /** "" for all units. */
  dimension: text("dimension").notNull(),
  value: text("value").notNull(),
  cohortStart: integer("cohort_start").notNull(),
  /** 1, or 24 once rolled up; late events for a rolled-up day land in hours again, which add up all the same. */
  cohortHours: integer("cohort_hours").notNull(),
};

/** How many units each variant has. */
export const populations = sqliteTable(
  "populations",
  { ...population, n: integer("n").notNull() },
  (t) => [
    primaryKey({
      columns: [
        t.environment,
        t.experiment,
        t.phase,
        t.dimension,
        t.value,
        t.variant,
        t.cohortStart,
        t.cohortHours,
      ],
    }),
  ],
);

/** Sums over those units: y the metric (a ratio's numerator), d its denominator, x its covariate. */
export const cells = sqliteTable(
  "cells",
  {
    ...population,
    metric: text("metric").notNull(),
    y: real("y").notNull(),
    yy: real("yy").notNull(),
    d: real("d").notNull(),
    dd: real("dd").notNull(),
    yd: real("yd").notNull(),
    x: real("x").notNull(),
    xx: real("xx").notNull(),
    xy: real("xy").notNull(),
  },
  (t) => [
    primaryKey({
      columns: [
        t.environment,
        t.experiment,
        t.phase,
        t.metric,
        t.dimension,
        t.value,
        t.variant,
        t.cohortStart,
        t.cohortHours,
      ],
    }),
  ],
);

/** What is not in the cells, counted by cause (see counting/): quarantined pairs, bots, late events, events outside a phase. */
export const tallies = sqliteTable(
  "tallies",
  {
    environment: text("environment").notNull(),
    experiment: text("experiment").notNull(),
    phase: integer("phase").notNull(),
    cause: text("cause").notNull(),
    /** A pair of variants for quarantined units, else "". */
    detail: text("detail").notNull(),
    n: integer("n").notNull(),
  },
  (t) => [primaryKey({ columns: [t.environment, t.experiment, t.phase, t.cause, t.detail] })],
);

/** That something of an experiment changed, so that the cron analyses only those: `version` is meta's at the last change. */
export const activity = sqliteTable(
  "activity",
  {
    environment: text("environment").notNull(),
    experiment: text("experiment").notNull(),
    version: integer("version").notNull(),
    lastEventMs: integer("last_event_ms").notNull(),
  },
  (t) => [primaryKey({ columns: [t.environment, t.experiment] })],
);
