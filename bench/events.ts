/// <reference types="node" />
/**
 * Events a second from HTTP to folded cells, in workerd, over a million units: `npm run bench:events`. The generator has its share of
 * the same cores. A row is measured from its first request until its last event is in the cells, which must then hold exactly what was sent.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { postBatch } from "./post-batch.ts";
import { key, startEvents } from "./events-system.ts";
import type { EventsSystem, SystemOptions } from "./events-system.ts";
import { Workload } from "./events-workload.ts";
import type { CellTotal, Requests, Shape } from "./events-workload.ts";

const CONNECTIONS = 6;
/** Sending waits while more events than this are on their way, as in a service that keeps up. */
const UNFOLDED = 200_000;
const POLL_MS = 100;
/** Of an isolate's 128 MB, what V8 may fill with objects before it must collect them; the rest is for buffers. */
const HEAP_MB = 96;

const { values: options } = parseArgs({
  options: {
    units: { type: "string", default: "1000000" },
    outcomes: { type: "string", default: "1000000" },
    /** Rows to run, by the beginning of their names; all but "growing" without it. */
    row: { type: "string", multiple: true },
    /** Of "growing". */
    exposures: { type: "string", default: "10000000" },
  },
});

async function measure(system: EventsSystem, { bodies, events }: Requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const before = await system.folded();
  const startedMs = performance.now();
  const cpuBefore = system.cpuSeconds();
  let folded = 0;
  let sent = 0;
  const watch = async (until: () => boolean) => {
    while (!until()) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      folded = (await system.folded()) - before;
    }
  };
  const queue = bodies[Symbol.iterator]();
  let watching: Promise<void> | null = null;
  const senders = Array.from({ length: CONNECTIONS }, async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (sent - folded > UNFOLDED) {
        watching ??= watch(() => sent - folded < UNFOLDED).finally(() => (watching = null));
        await watching;
      }
      await postBatch({ url: system.url, key, agent }, next.value);
      sent += 1_000;
    }
  });
  await Promise.all(senders);
  await watch(() => folded >= events);
  agent.destroy();
  return {
    perSecond: Math.round(events / ((performance.now() - startedMs) / 1_000)),
    cpuMicroseconds: Number((((system.cpuSeconds() - cpuBefore) * 1e6) / events).toFixed(1)),
  };
}

function verify(expected: readonly CellTotal[], found: readonly CellTotal[]): void {
  const sums = new Map<string, CellTotal>();
  for (const each of found) {
    const at = `${each.experiment} ${each.metric} ${each.variant}`;
    const known = sums.get(at) ?? { ...each, n: 0, y: 0, yy: 0, d: 0 };
    for (const sum of ["n", "y", "yy", "d"] as const) known[sum] += each[sum];
    sums.set(at, known);
  }
  for (const each of expected) {
    const at = `${each.experiment} ${each.metric} ${each.variant}`;
    const [a, b] = [JSON.stringify(each), JSON.stringify({ ...each, ...sums.get(at) })];
    if (a !== b) throw new Error(`cells are off: ${b} instead of ${a}`);
  }
}

interface Run extends SystemOptions {
  shape: Shape;
  units: number;
  oneShard?: boolean;
}

async function within<T>(
  { shape, units, oneShard = false, ...options }: Run,
  work: (system: EventsSystem, workload: Workload) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-bench-"));
  const workload = new Workload(shape, units, { oneShard });
  try {
    const system = await startEvents(folder, workload.plan, options);
    try {
      return await work(system, workload);
    } finally {
      await system.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** First exposures of all units, then outcomes of any of them. */
async function counting(run: Run, outcomes: number): Promise<object> {
  return await within(run, async (system, workload) => {
    const exposures = workload.exposures(run.units);
    const exposed = await measure(system, exposures);
    const exposedBytes = await system.databaseBytes();
    const rowsBefore = await system.rowsWritten();
    const counted = await measure(system, workload.outcomes(outcomes));
    const rows = (await system.rowsWritten()) - rowsBefore;
    const bytes = await system.databaseBytes();
    if (run.consumer === "fold") verify(workload.totals(), await system.cellTotals());
    else if ((await system.insertedRows()) !== exposures.events + outcomes) {
      throw new Error("rows are missing");
    }
    const metrics = workload.plan.experiments.flatMap(({ phases }) => phases[0]?.metrics ?? []);
    const heap = system.heapPeakBytes();
    return {
      "exposures/s": exposed.perSecond,
      "CPU µs/exposure": exposed.cpuMicroseconds,
      "outcomes/s": counted.perSecond,
      "CPU µs/outcome": counted.cpuMicroseconds,
      "rows/outcome": Number((rows / outcomes).toFixed(3)),
      "bytes/exposure": Math.round(exposedBytes / exposures.events),
      "bytes/unit-metric": Math.round(bytes / (run.units * metrics.length)),
      ...(heap && { "objects MB": megabytes(heap.objects), "buffers MB": megabytes(heap.buffers) }),
    };
  });
}

/** A client that sends outcomes of one unit in a loop. */
async function hot(): Promise<object> {
  return await within(
    { shape: "1 × 1", units: 1_000, consumer: "fold" },
    async (system, workload) => {
      await measure(system, workload.exposures(1_000));
      const { perSecond, cpuMicroseconds } = await measure(system, workload.hotOutcomes(100_000));
      verify(workload.totals(), await system.cellTotals());
      return { "outcomes/s": perSecond, "CPU µs/outcome": cpuMicroseconds };
    },
  );
}

/** After every million of first exposures some outcomes of any unit until then: `each` is told of every step. */
async function growing(exposures: number, each: (exposed: string, row: object) => void) {
  const step = 1_000_000;
  await within({ shape: "1 × 1", units: exposures, consumer: "fold" }, async (system, workload) => {
    while (workload.exposed < exposures) {
      const exposed = await measure(system, workload.exposures(step));
      const counted = await measure(system, workload.outcomes(step / 4));
      each(`${workload.exposed / step} million exposures`, {
        "exposures/s": exposed.perSecond,
        "CPU µs/exposure": exposed.cpuMicroseconds,
        "outcomes/s": counted.perSecond,
        "CPU µs/outcome": counted.cpuMicroseconds,
      });
    }
    verify(workload.totals(), await system.cellTotals());
  });
}

const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const units = Number(options.units);
const outcomes = Number(options.outcomes);
const rows: Record<string, object> = {};
const isAsked = (name: string) => options.row?.some((asked) => name.startsWith(asked)) ?? true;
const table: [string, () => Promise<object>][] = [
  ["1x1", () => counting({ shape: "1 × 1", units, consumer: "fold" }, outcomes)],
  ["3x5", () => counting({ shape: "3 × 5", units, consumer: "fold" }, outcomes)],
  [
    "baseline: 1x1, an insert an event",
    () => counting({ shape: "1 × 1", units: units / 10, consumer: "insert" }, outcomes / 10),
  ],
  [
    `memory: 3x5, one shard, ${HEAP_MB} MB of objects at most`,
    () =>
      counting(
        { shape: "3 × 5", units: units / 5, consumer: "fold", heapMb: HEAP_MB, oneShard: true },
        outcomes / 5,
      ),
  ],
  ["hot: 100,000 outcomes of one unit", hot],
];
for (const [name, run] of table) {
  if (!isAsked(name)) continue;
  rows[name] = await run();
  console.table(rows);
}
if (options.row?.includes("growing") === true) {
  await growing(Number(options.exposures), (exposed, row) => {
    rows[exposed] = row;
    console.table(rows);
  });
}
