/// <reference types="node" />
/**
 * One cycle of the cron over many experiments, each of 10 metrics and 5 segments: everything refreshed, then only what changed.
 * The analysis worker on its own bindings, as its wrangler.toml has them; the cells are written by SQL beforehand.
 * Each experiment has units of so many hours in every shard, and as many cells of each metric and segment.
 * `node bench/analysis-cycle.ts [experiments] [hours]`
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptions } from "wrangler";
import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import { metricBody } from "../contracts/metric.ts";
import { advance } from "../control/lifecycle.ts";
import { bundle } from "../scripts/local/bundle.ts";
import { migrate } from "../scripts/local/migrate.ts";
import { noteWorkerd } from "../scripts/local/workerd-process.ts";

const root = resolve(import.meta.dirname, "..");
const name = "edgewise-analysis-cron";
const shards = 4;
const metrics = 10;
const segments = ["US", "CA", "DE", "FR", "JP"];
const unitsOfCell = 250;
const hourMs = 3_600_000;
const minuteMs = 60_000;
const rowsShape = z.object({ read: z.number(), written: z.number() });
const experiments = Number(process.argv[2] ?? 10_000);
const hours = Number(process.argv[3] ?? 1);
const changedShare = 0.02;
/** Well before everything has matured, at a whole hour that no daily work begins at. */
const startMs = Math.floor(Date.UTC(2026, 0, 5, 10));

const folder = await mkdtemp(join(tmpdir(), "edgewise-bench-"));
const forgetWorkerd = noteWorkerd(folder);
const configured = workerOptions(resolve(root, "workers/analysis-cron/wrangler.toml"));
const { modulesRules: _rules, ...fromConfig } = configured.workerOptions;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: folder,
    cf: false,
    telemetry: { enabled: false },
    handleStructuredLogs: ({ level, message }) => {
      if (level === "error") console.error(message);
    },
    workers: [
      {
        ...fromConfig,
        name,
        modules: true,
        script: await bundle(`
          import worker from "./workers/analysis-cron/index.ts";
          import { countingRows } from "./bench/counted-rows.ts";
          export default countingRows(worker);
        `),
      },
    ],
  }),
);

try {
  await miniflare.ready;
  const control = await miniflare.getD1Database("CONTROL", name);
  await migrate(control, "control");
  await define();
  for (let shard = 0; shard < shards; shard += 1) await fill(shard);

  const first = await cycle(startMs + (30 + hours) * hourMs);
  report(
    `${experiments} experiments × ${metrics} metrics × ${segments.length} segments, ${hours} hours`,
    first,
  );
  await change();
  report(
    `then ${100 * changedShare} % of them changed`,
    await cycle(startMs + (200 + hours) * hourMs),
  );
  report("then nothing changed", await cycle(startMs + (200 + hours) * hourMs + minuteMs));

  async function define(): Promise<void> {
    const bodies = Array.from({ length: metrics }, (_, i) =>
      z.parse(metricBody, { key: `m${i}`, type: "proportion", event: `e${i}`, windowHours: 1 }),
    );
    const body = z.parse(experimentBody, {
      key: "x",
      variants: [
        { key: "a", weight: 50, value: "A", isControl: true },
        { key: "b", weight: 50, value: "B" },
      ],
      metrics: {
        primary: ["m0"],
        secondary: bodies.slice(1, 8).map(({ key }) => key),
        guardrail: [{ metric: "m8" }, { metric: "m9" }],
      },
      dimensions: ["country"],
      plan: { maximumSampleSize: 100_000, looks: 5 },
    });
    const at = new Date(startMs).toISOString();
    const started = advance(
      {
        id: "x",
        key: "x",
        version: 1,
        status: "draft",
        body,
        phases: [],
        createdAt: at,
        updatedAt: at,
      },
      "start",
      {
        nowMs: startMs,
        metrics: new Map(bodies.map((metric) => [metric.key, metric])),
        freshSalt: "salt",
        layer: null,
      },
    );
    if (!started.ok) throw new Error(started.problem.detail);
    await control.batch([
      control.prepare("insert into customers values ('c', 'c', 'c', ?)").bind(at),
      control.prepare("insert into environments values ('e', 'c', 'e', 'e', 1, 1, ?)").bind(at),
      control
        .prepare(
          `with recursive n (i) as (select 0 union all select i + 1 from n where i < ?1 - 1)
           insert into experiments (environment_id, key, id, version, status, body, phases, created_at, updated_at)
           select 'e', 'x' || i, 'x' || i, 1, 'running', replace(?2, '"key":"x"', '"key":"x' || i || '"'), ?3, ?4, ?4 from n`,
        )
        .bind(experiments, JSON.stringify(body), JSON.stringify(started.value.phases), at),
    ]);
  }

  /** Each experiment's units are in all shards alike. */
  async function fill(shard: number): Promise<void> {
    const database = await miniflare.getD1Database(`METRICS_${shard}`, name);
    await migrate(database, "metrics");
    const place = `with recursive n (i) as (select 0 union all select i + 1 from n where i < ?1 - 1),
      variant (variant, better) as (values ('a', 0), ('b', 1)),
      place (dimension, value, share) as (values ('', '', ${segments.length}), ${segments
        .map((value) => `('country', '${value}', 1)`)
        .join(", ")}),
      hour (hour) as (select ${startMs / hourMs} union all select hour + 1 from hour where hour < ${startMs / hourMs + hours - 1})`;
    const metric = `metric (metric) as (values ${Array.from({ length: metrics }, (_, i) => `('m${i}')`).join(", ")})`;
    const y = `share * (${unitsOfCell / 10} + better * (abs(random()) % 5))`;
    for (const sql of [
      `${place} insert into populations (environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours, n)
         select 'e', 'x' || i, 1, variant, dimension, value, hour, 1, share * ${unitsOfCell} from n, variant, place, hour`,
      `${place}, ${metric} insert into cells (environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours, metric, y, yy, d, dd, yd, x, xx, xy)
         select 'e', 'x' || i, 1, variant, dimension, value, hour, 1, metric, ${y}, ${y}, 0, 0, 0, 0, 0, 0 from n, variant, place, metric, hour`,
      `${place} insert into activity (environment, experiment, version, last_event_ms) select 'e', 'x' || i, 1, ${startMs} from n`,
    ]) {
      await database.prepare(sql).bind(experiments).run();
    }
  }

  async function change(): Promise<void> {
    const database = await miniflare.getD1Database("METRICS_0", name);
    const every = Math.round(1 / changedShare);
    await database
      .prepare(
        "update activity set version = 2 where cast(substr(experiment, 2) as integer) % ? = 0",
      )
      .bind(every)
      .run();
  }

  /** From the tick until no refresh is under way. */
  async function cycle(asOfMs: number): Promise<Cycle> {
    const at = new Date(asOfMs).toISOString();
    const begun = performance.now();
    const cpuBefore = cpuSeconds();
    const cron = await miniflare.getWorker(name);
    const { outcome } = await cron.scheduled({
      scheduledTime: new Date(asOfMs),
      cron: "* * * * *",
    });
    if (outcome !== "ok") throw new Error(`the cron ended with ${outcome}`);
    const count = async () => {
      const row = await control
        .prepare("select count(*) as n from results where as_of = ?")
        .bind(at)
        .first<{ n: number }>();
      return row?.n ?? 0;
    };
    let refreshed = await count();
    let changedAt = performance.now();
    while (performance.now() - changedAt < 5_000 && refreshed < experiments) {
      await new Promise((done) => setTimeout(done, 100));
      const now = await count();
      if (now !== refreshed) changedAt = performance.now();
      refreshed = now;
    }
    const answer = await cron.fetch("http://rows/");
    const rows = z.parse(rowsShape, await answer.json());
    const seconds = (changedAt - begun) / 1_000;
    return { seconds, cpuSeconds: cpuSeconds() - cpuBefore, refreshed, rows };
  }
} finally {
  await miniflare.dispose();
  forgetWorkerd();
  await rm(folder, { recursive: true, force: true });
}

/** User and system time of workerd, the emulator's queues and databases included; Linux tells it in hundredths of a second. */
function cpuSeconds(): number {
  const pid = readFileSync(resolve(folder, "workerd.pid"), "utf8");
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface Cycle {
  seconds: number;
  cpuSeconds: number;
  refreshed: number;
  /** Of all databases, by the worker. */
  rows: z.infer<typeof rowsShape>;
}

function report(what: string, { seconds, cpuSeconds, refreshed, rows }: Cycle): void {
  console.log(
    `${what}: ${refreshed} refreshed in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${rows.read} rows read, ${rows.written} written`,
  );
}
