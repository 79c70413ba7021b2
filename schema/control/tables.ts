/**
 * The tables of CONTROL, the truth about definitions. Definitions are JSON documents (contracts/phase.ts, control/environment-state.ts);
 * columns hold what queries and constraints need. Every change increments `environments.version` and appends to `audit_log` in one batch.
 */

import {
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

export const customers = sqliteTable(
  "customers",
  {
    id: text("id").primaryKey(),
    key: text("key").notNull(),
    name: text("name").notNull(),
    createdAt: text("created_at").notNull(),
  },
  (t) => [uniqueIndex("customers_key").on(t.key)],
);

export const environments = sqliteTable(
  "environments",
  {
    id: text("id").primaryKey(),
    customerId: text("customer_id")
      .notNull()
      .references(() => customers.id),
    key: text("key").notNull(),
    name: text("name").notNull(),
    /** Only grows. NOT NULL is what makes a lost race roll its batch back. */
    version: integer("version").notNull(),
    /** The version that KV was last known to hold; the cron publishes where it lags. */
    publishedVersion: integer("published_version").notNull(),
    createdAt: text("created_at").notNull(),
  },
  (t) => [uniqueIndex("environments_key").on(t.customerId, t.key)],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    /** Null: the installation's key, good for every environment. */
    environmentId: text("environment_id").references(() => environments.id),
    kind: text("kind", { enum: ["server", "client", "admin"] }).notNull(),
    /** Admin keys only. */
    role: text("role", { enum: ["viewer", "editor", "admin"] }),
    name: text("name").notNull(),
    /** SHA-256 of the secret, hex; the secret itself is stored nowhere. */
    hash: text("hash").notNull(),
    /** JSON array; client keys only. */
    origins: text("origins"),
    createdAt: text("created_at").notNull(),
    revokedAt: text("revoked_at"),
    /** Whether KV holds this row as it is. */
    published: integer("published", { mode: "boolean" }).notNull(),
  },
  (t) => [
    uniqueIndex("api_keys_hash").on(t.hash),
    index("api_keys_environment").on(t.environmentId),
  ],
);

/** Flags, metrics, layers, holdouts and segments: one document each, under a key that is never used twice. */
export const definitions = sqliteTable(
  "definitions",
  {
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.id),
    kind: text("kind", { enum: ["flag", "metric", "layer", "holdout", "segment"] }).notNull(),
    key: text("key").notNull(),
    id: text("id").notNull(),
    /** Of this document, for If-Match. */
    version: integer("version").notNull(),
    body: text("body").notNull(),
    createdAt: text("created_at").notNull(),
    updatedAt: text("updated_at").notNull(),
    /** Null while it is in force; the row stays, so that its key is not used again. */
    archivedAt: text("archived_at"),
  },
  (t) => [primaryKey({ columns: [t.environmentId, t.kind, t.key] })],
);

export const experiments = sqliteTable(
  "experiments",
  {
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.id),
    key: text("key").notNull(),
    id: text("id").notNull(),
    version: integer("version").notNull(),
    status: text("status", {
      enum: ["draft", "running", "paused", "completed", "archived"],
    }).notNull(),
    /** As authored. */
    body: text("body").notNull(),
    /** JSON array of phases with what was frozen at each start (control/experiment.ts); empty before the first. */
    phases: text("phases").notNull(),
    createdAt: text("created_at").notNull(),
    updatedAt: text("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.environmentId, t.key] }),
    index("experiments_status").on(t.environmentId, t.status),
  ],
);

export const auditLog = sqliteTable(
  "audit_log",
  {
    id: text("id").primaryKey(),
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.id),
    /** The environment's version that the change made. */
    version: integer("version").notNull(),
    at: text("at").notNull(),
    /** The API key's id, or "cron". */
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    entity: text("entity").notNull(),
    entityKey: text("entity_key").notNull(),
    reason: text("reason"),
    /** The document after the change, JSON. */
    after: text("after"),
  },
  (t) => [index("audit_log_version").on(t.environmentId, t.version)],
);

/** The ledger: append-only, one row a look, primary metric and treatment. Rows are never updated. */
export const looks = sqliteTable(
  "looks",
  {
    environmentId: text("environment_id").notNull(),
    experiment: text("experiment").notNull(),
    phase: integer("phase").notNull(),
    metric: text("metric").notNull(),
    variant: text("variant").notNull(),
    look: integer("look").notNull(),
    takenAt: text("taken_at").notNull(),
    /** Epoch ms: every unit whose window had closed by then was in. Strictly increasing within a ledger. */
    watermarkMs: integer("watermark_ms").notNull(),
    informationFraction: real("information_fraction").notNull(),
    spendingTime: real("spending_time").notNull(),
    /** Null: no alpha to spend at this look, it could not decide. */
    boundary: real("boundary"),
    z: real("z"),
    nominalP: real("nominal_p").notNull(),
    /** Cumulative, of this ledger's share. */
    alphaSpent: real("alpha_spent").notNull(),
    crossed: integer("crossed", { mode: "boolean" }).notNull(),
    /** The last look there is: all alpha is spent or the plan ended. */
    final: integer("final", { mode: "boolean" }).notNull(),
    /** Why it was taken: see LookCause. */
    cause: text("cause", { enum: ["planned", "asked", "declared"] })
      .notNull()
      .default("planned"),
    /** Epoch ms of the wall clock; `takenAt` is the analysis' own. 0: not noted. */
    recordedAtMs: integer("recorded_at_ms").notNull().default(0),
    /** Of the code that took it (analysis/analysis-version.ts). */
    analysisVersion: integer("analysis_version").notNull().default(1),
    /** Null: the plan has no futility bound, or this look may spend nothing on one. */
    futilityBoundary: real("futility_boundary"),
    futile: integer("futile", { mode: "boolean" }).notNull().default(false),
    /** JSON: the sufficient statistics that the look used. */
    inputs: text("inputs").notNull(),
    /** JSON: what may be said at this look, whatever the reason to stop (analysis/ledger.ts). */
    inference: text("inference").notNull(),
  },
  (t) => [
    primaryKey({
      columns: [t.environmentId, t.experiment, t.phase, t.metric, t.variant, t.look],
    }),
    uniqueIndex("looks_watermark").on(
      t.environmentId,
      t.experiment,
      t.phase,
      t.metric,
      t.variant,
      t.watermarkMs,
    ),
  ],
);

/** The last refresh of each experiment: what `GET …/results` answers. */
export const results = sqliteTable(
  "results",
  {
    environmentId: text("environment_id").notNull(),
    experiment: text("experiment").notNull(),
    asOf: text("as_of").notNull(),
    /** The activity versions of the shards that it was computed from, JSON array. */
    activity: text("activity").notNull(),
    /** Epoch ms: from then on every unit seen has matured, and without new data nothing changes. */
    settlesAtMs: integer("settles_at_ms").notNull(),
    body: text("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.environmentId, t.experiment] })],
);

/** Where alerts are sent. Rows stay after removal: deliveries name them. */
export const webhooks = sqliteTable(
  "webhooks",
  {
    id: text("id").primaryKey(),
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.id),
    url: text("url").notNull(),
    /** JSON array of notice kinds (contracts/notice.ts). */
    events: text("events").notNull(),
    /** What deliveries are signed with: it has to be kept as it is. */
    secret: text("secret").notNull(),
    createdAt: text("created_at").notNull(),
    /** Null while it is in force. */
    removedAt: text("removed_at"),
  },
  (t) => [index("webhooks_environment").on(t.environmentId)],
);

/** The outbox: what somebody should be told, written in the transaction that decided it. A thing is told once, by its key. */
export const notices = sqliteTable(
  "notices",
  {
    /** The event id that receivers see. */
    id: text("id").primaryKey(),
    environmentId: text("environment_id").notNull(),
    key: text("key").notNull(),
    kind: text("kind").notNull(),
    at: text("at").notNull(),
    /** JSON as it is sent: the same bytes at every attempt. */
    body: text("body").notNull(),
  },
  (t) => [uniqueIndex("notices_key").on(t.environmentId, t.key)],
);

/** One row a notice and webhook that was in force then. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    notice: text("notice").notNull(),
    webhook: text("webhook").notNull(),
    attempts: integer("attempts").notNull(),
    /** Epoch ms; null: delivered, or given up. */
    nextAttemptAtMs: integer("next_attempt_at_ms"),
    deliveredAt: text("delivered_at"),
    lastError: text("last_error"),
  },
  (t) => [
    primaryKey({ columns: [t.notice, t.webhook] }),
    index("deliveries_due").on(t.nextAttemptAtMs),
    index("deliveries_webhook").on(t.webhook),
  ],
);

/** One row: how the cron's last run went, so that the next one can tell of a failure. */
export const cronRuns = sqliteTable("cron_runs", {
  id: integer("id").primaryKey(),
  /** Epoch ms of the wall clock. */
  startedAtMs: integer("started_at_ms").notNull(),
  /** Null: it has not come to its end. */
  finishedAtMs: integer("finished_at_ms"),
});
