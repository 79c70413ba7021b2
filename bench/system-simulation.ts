/// <reference types="node" />
/**
 * Simulated experiments through the whole system, as `npm start` runs it: exposures and outcomes in over HTTP, results and pauses out. Ten
 * stretches of an hour, each with a look once its units have matured. Prints how often each fleet crossed a boundary or was paused beside how
 * often it should have, and fails when a rate is beyond three standard errors. Run it alone: `npm run bench:system-simulation`.
 */
import * as z from "zod/mini";
import { bucket } from "../core/index.ts";
import { inParallel, resultsShape, startSystem } from "../test/harness.ts";
import { seeded } from "./stats-random.ts";

const SEED = 20_260_114;
const STRETCHES = 10;
const UNITS = 3_000;
const ALPHA = 0.05;
const POWER = 0.9;
const CONVERSION = 0.3;
/** What 3,000 units and ten O'Brien–Fleming looks detect with the planned power. */
const DETECTABLE = 0.187;
const FAILURE = 0.2;
const hourMs = 3_600_000;
/** A window of an hour, the hour of the cohort, and its grace. */
const maturingMs = 3 * hourMs;

interface Fleet {
  name: string;
  experiments: number;
  controlWeight: number;
  /** Relative, of the treatment. */
  effect: number;
  harm: number;
  /** The share that should cross, or null. */
  crossing: number;
  /** The most that should ever be paused, or the least that should be within two ticks of the cron. */
  paused: { most: number } | { least: number };
}

const fleets: Fleet[] = [
  {
    name: "A/A, 50/50",
    experiments: 200,
    controlWeight: 50,
    effect: 0,
    harm: 0,
    crossing: ALPHA,
    paused: { most: ALPHA },
  },
  {
    name: "A/A, 90/10",
    experiments: 50,
    controlWeight: 90,
    effect: 0,
    harm: 0,
    crossing: ALPHA,
    paused: { most: ALPHA },
  },
  {
    name: "the planned effect",
    experiments: 50,
    controlWeight: 50,
    effect: DETECTABLE,
    harm: 0,
    crossing: POWER,
    paused: { most: ALPHA },
  },
  {
    name: "no effect, but harm",
    experiments: 20,
    controlWeight: 50,
    effect: 0,
    harm: 1,
    crossing: ALPHA,
    paused: { least: 0.9 },
  },
];

interface Run {
  key: string;
  fleet: Fleet;
  salt: string;
  status: string;
  /** After how many stretches, and as many ticks of the cron; null: not. */
  pausedAfter: number | null;
}

const system = await startSystem();
const api = async (method: string, path: string, body?: object) =>
  await system.expectOk(z.looseObject({}), system.call(method, `/api/v1${path}`, { body }));

async function define(): Promise<Run[]> {
  const metric = { type: "proportion", windowHours: 1 };
  await api("POST", "/metrics", { ...metric, key: "converted", event: "conversion" });
  const failed = { key: "failed", event: "failure", direction: "decrease" };
  await api("POST", "/metrics", { ...metric, ...failed });
  const runs = fleets.flatMap((fleet, index) =>
    Array.from({ length: fleet.experiments }, (_, i): Run => {
      const key = `fleet_${index}_${i}`;
      return { key, fleet, salt: `salt of ${key}`, status: "running", pausedAfter: null };
    }),
  );
  for (const { key, salt, fleet } of runs) {
    await api("POST", "/experiments", {
      key,
      salt,
      variants: [
        { key: "a", weight: fleet.controlWeight, value: "a", isControl: true },
        { key: "b", weight: 100 - fleet.controlWeight, value: "b" },
      ],
      metrics: { primary: ["converted"], guardrail: [{ metric: "failed" }] },
      plan: { maximumSampleSize: UNITS, looks: STRETCHES, alpha: ALPHA },
    });
    await api("POST", `/experiments/${key}/start`, {});
  }
  return runs;
}

const random = seeded(SEED);

/** The events of one experiment in one stretch: a unit is assigned as it would be at the edge. */
function eventsOf({ key, salt, fleet }: Run, stretch: number, startMs: number): object[] {
  const units = Array.from({ length: UNITS / STRETCHES }, (_, i) => `${key}-${stretch}-${i}`);
  return units.flatMap((unit) => {
    const isTreated = bucket(salt, unit) >= fleet.controlWeight * 100;
    const atMs = startMs + Math.floor(random.uniform() * hourMs);
    const timestamp = new Date(atMs).toISOString();
    const outcome = (name: string, rate: number) =>
      random.uniform() < rate
        ? [{ type: "outcome", id: `${unit}-${name}`, name, unit, timestamp }]
        : [];
    return [
      { type: "exposure", experiment: key, variant: isTreated ? "b" : "a", unit, timestamp },
      ...outcome("conversion", CONVERSION * (isTreated ? 1 + fleet.effect : 1)),
      ...outcome("failure", FAILURE * (isTreated ? 1 + fleet.harm : 1)),
    ];
  });
}

async function send(events: readonly object[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(events.length / 1_000) }, (_, i) =>
    events.slice(i * 1_000, (i + 1) * 1_000),
  );
  await inParallel(batches, 4, async (batch) => {
    const answer = await api("POST", "/events/batch", { source: "import", events: batch });
    if (answer["accepted"] !== batch.length) throw new Error(JSON.stringify(answer));
  });
}

async function statusOf(run: Run): Promise<string> {
  const { status } = await api("GET", `/experiments/${run.key}`);
  return String(status);
}

/** How often each number occurs: `1: 17, 2: 3`. */
function tally(numbers: readonly number[]): string {
  const groups = [...Map.groupBy(numbers, (number) => number)];
  return groups
    .toSorted(([a], [b]) => a - b)
    .map(([number, those]) => `${number}: ${those.length}`)
    .join(", ");
}

try {
  const began = Date.now();
  const runs = await define();
  const startMs = Math.floor(began / hourMs) * hourMs - STRETCHES * hourMs - maturingMs;
  let sent = 0;
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    const fromMs = startMs + stretch * hourMs;
    const running = runs.filter(({ status }) => status === "running");
    const events = running.flatMap((run) => eventsOf(run, stretch, fromMs));
    await send(events);
    sent += events.length;
    await system.runner.drained();
    await system.runner.tick(new Date(fromMs + maturingMs));
    for (const run of runs) {
      run.status = await statusOf(run);
      if (run.status === "paused") run.pausedAfter ??= stretch + 1;
    }
    const seconds = Math.round((Date.now() - began) / 1_000);
    console.log(`stretch ${stretch + 1}: ${sent} events, ${seconds} s`);
  }
  const rows: Record<string, object> = {};
  let off = 0;
  for (const fleet of fleets) {
    const ours = runs.filter((run) => run.fleet === fleet);
    const results = [];
    for (const { key } of ours) {
      const path = `/api/v1/experiments/${key}/results`;
      results.push(await system.expectOk(resultsShape, system.call("GET", path)));
    }
    const crossed = results.filter(
      ({ metrics }) => metrics[0]?.comparisons[0]?.sequential?.crossed === true,
    ).length;
    const paused = ours.filter(({ status }) => status === "paused").length;
    const pausedSoon = ours.filter(
      ({ pausedAfter }) => pausedAfter !== null && pausedAfter <= 2,
    ).length;
    const looks = results.map(
      ({ metrics }) => metrics[0]?.comparisons[0]?.sequential?.looks.length ?? 0,
    );
    const within = (count: number, rate: number) =>
      Math.abs(count / ours.length - rate) <= 3 * Math.sqrt((rate * (1 - rate)) / ours.length);
    const asDesigned =
      ("most" in fleet.paused
        ? paused / ours.length <= fleet.paused.most
        : pausedSoon / ours.length >= fleet.paused.least) &&
      ("least" in fleet.paused || within(crossed, fleet.crossing));
    if (!asDesigned) off += 1;
    rows[fleet.name] = {
      experiments: ours.length,
      crossed,
      "should cross": "least" in fleet.paused ? "-" : fleet.crossing * ours.length,
      paused,
      "should be paused": Object.entries(fleet.paused)
        .map(([bound, rate]) => `at ${bound} ${rate * ours.length}`)
        .join(),
      "ticks until paused": tally(ours.flatMap(({ pausedAfter }) => pausedAfter ?? [])),
      "looks (mean)": looks.reduce((sum, n) => sum + n, 0) / ours.length,
      mismatches: results.filter(({ sampleRatio }) => sampleRatio.mismatch).length,
    };
  }
  console.table(rows);
  console.log(`${sent} events in ${Math.round((Date.now() - began) / 1_000)} s`);
  if (off > 0) process.exitCode = 1;
} finally {
  await system.destroy();
}
