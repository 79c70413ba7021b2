/**
 * The tables of every shard METRICS_0…n. One consumer writes a shard, in one transaction a batch, guarded by `meta.version`.
 * The migration adds WITHOUT ROWID by hand (drizzle cannot say it): every key here is the whole access path.
 */

import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The version that a batch must have read to be allowed to write: row 1 guards the tables that are read, row 2 their `…_rebuild` twins.
 * `mirrored` (row 2 only): whatever is folded into the first is folded into the second in the same transaction.
 */
export const meta = sqliteTable("meta", {
  id: integer("id").primaryKey(),
  version: integer("version").notNull(),
  mirrored: integer("mirrored").notNull(),
});

/**
 * The numbers that stand for names in documents and keys (counting/names.ts): those of an environment from 0 on, and under "" those of
 * environments with their unit kinds, separated by U+001F. Rows are only added.
 */
export const names = sqliteTable(
  "names",
  {
    environment: text("environment").notNull(),
    id: integer("id").notNull(),
    name: text("name").notNull(),
  },
  (t) => [primaryKey({ columns: [t.environment, t.id] })],
);

const unit = {
  /** The number of its environment and kind, a colon, the unit's id. */
  key: text("key").primaryKey(),
  state: text("state").notNull(),
};

/** One document a unit (counting/document.ts): its exposures with what they contribute to cells, and its recent outcomes. */
export const units = sqliteTable("units", unit);

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

const populationTable = <Name extends string>(name: Name) =>
  sqliteTable(name, { ...population, n: integer("n").notNull() }, (t) => [
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
  ]);

/** How many units each variant has. */
export const populations = populationTable("populations");

const cellTable = <Name extends string>(name: Name) =>
  sqliteTable(
    name,
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

/** Sums over those units: y the metric (a ratio's numerator), d its denominator, x its covariate. */
export const cells = cellTable("cells");

const tallyTable = <Name extends string>(name: Name) =>
  sqliteTable(
    name,
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

/** What is not in the cells, counted by cause (see counting/): quarantined pairs, bots, late events, events outside a phase. */
export const tallies = tallyTable("tallies");

const dimensionValueTable = <Name extends string>(name: Name) =>
  sqliteTable(
    name,
    {
      environment: text("environment").notNull(),
      experiment: text("experiment").notNull(),
      phase: integer("phase").notNull(),
      dimension: text("dimension").notNull(),
      /** JSON array. */
      kept: text("kept").notNull(),
    },
    (t) => [primaryKey({ columns: [t.environment, t.experiment, t.phase, t.dimension] })],
  );

/** The values that have cells of their own (counting/kept-values.ts); units with other ones are in those of "other". */
export const dimensionValues = dimensionValueTable("dimension_values");

/** Where the archive is counted anew; takes the place of the table of that name by being renamed. Empty between rebuilds. */
export const unitsRebuild = sqliteTable("units_rebuild", unit);
export const populationsRebuild = populationTable("populations_rebuild");
export const cellsRebuild = cellTable("cells_rebuild");
export const talliesRebuild = tallyTable("tallies_rebuild");
export const dimensionValuesRebuild = dimensionValueTable("dimension_values_rebuild");

/** One row a rebuild: where it stands, what it found. */
export const rebuilds = sqliteTable("rebuilds", {
  /** UUIDv7. */
  id: text("id").primaryKey(),
  reason: text("reason").notNull(),
  /** See RebuildStatus. */
  status: text("status").notNull(),
  requestedAtMs: integer("requested_at_ms").notNull(),
  /** When its last step ended; a run that stands still is queued again. */
  steppedAtMs: integer("stepped_at_ms").notNull(),
  /** How far the archive is read; "" is the beginning. */
  cursor: text("cursor").notNull(),
  /** What the plans said when it began: a rebuild across a change of them begins anew. */
  plans: text("plans").notNull(),
  events: integer("events").notNull(),
  /** JSON of RebuildDifference; null until it is known. */
  difference: text("difference"),
});

/** One row: how far the shard has come. */
export const progress = sqliteTable("progress", {
  id: integer("id").primaryKey(),
  newestEventMs: integer("newest_event_ms").notNull(),
  newestReceivedMs: integer("newest_received_ms").notNull(),
  foldedAtMs: integer("folded_at_ms").notNull(),
});

/** What travelled with the messages and how many events they had, by the hour of reception (since the epoch). At least once. */
export const counters = sqliteTable(
  "counters",
  {
    environment: text("environment").notNull(),
    hour: integer("hour").notNull(),
    name: text("name").notNull(),
    n: integer("n").notNull(),
  },
  (t) => [primaryKey({ columns: [t.environment, t.hour, t.name] })],
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
