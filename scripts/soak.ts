/**
 * `npm run soak`: is anything lost, or counted twice, when Edgewise is killed again and again? A client sends events until they are acknowledged;
 * meanwhile the whole of `npm start` gets SIGKILL at random points and is started again. Once everything is acknowledged, cells and archive must be
 * what was sent, to the unit; so must they when the archive has been compacted, killed in the middle of it, and when it has been counted anew.
 */

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod/mini";
import { callControls } from "./local/control-socket.ts";
import { parseOptions, runScript, UsageError, wholeNumber } from "./local/options.ts";
import { formatTable } from "./query/format-table.ts";
import { sendAll } from "./soak/client.ts";
import type { Progress } from "./soak/client.ts";
import { compareArchive, compareCells, resultsAnswer } from "./soak/compare.ts";
import type { Line } from "./soak/compare.ts";
import { edgewise } from "./soak/edgewise.ts";
import { random } from "./soak/random.ts";
import { experiment, metrics, traffic } from "./soak/traffic.ts";

const key = "ew_admin_soak_1234567";
const hourMs = 3_600_000;
const batchEvents = 1_000;
const longestLifeMs = 8_000;
/** In the rest of the folding, in compaction and in the rebuild. */
const otherKills = 3;

const health = z.object({
  deadLetters: z.object({ count: z.number() }),
  shards: z.array(
    z.object({
      backlog: z.object({ messages: z.number() }),
      rebuild: z.nullable(
        z.object({
          status: z.string(),
          events: z.number(),
          difference: z.nullable(z.object({ rows: z.number() })),
        }),
      ),
    }),
  ),
});

await runScript(async () => {
  const { events, kills, seed, data } = readOptions();
  const folder = data ?? (await mkdtemp(join(tmpdir(), "edgewise-soak-")));
  await requireEmpty(folder);
  const system = await edgewise(folder, key);
  const began = Date.now();
  const say = (text: string) =>
    console.log(`${String(Math.round((Date.now() - began) / 1_000)).padStart(5)} s  ${text}`);

  async function api<T>(path: string, schema: z.ZodMiniType<T>, body?: object): Promise<T> {
    const response = await fetch(`${system.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${key}` },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
    return z.parse(schema, JSON.parse(text));
  }
  const tick = (atMs: number) => callControls(folder, `/tick?at=${new Date(atMs).toISOString()}`);

  const progress: Progress = { acknowledged: 0, requests: 0, unacknowledged: {} };
  const draw = random(seed, "kills");
  let killed = 0;
  async function kill(when: string): Promise<void> {
    await system.kill();
    killed++;
    const startedMs = Date.now();
    await system.start();
    const seconds = ((Date.now() - startedMs) / 1_000).toFixed(1);
    const { shards } = await api("/health", health);
    const waiting = shards.reduce((sum, { backlog }) => sum + backlog.messages, 0);
    say(
      `kill ${killed} ${when}, ${progress.acknowledged} events acknowledged; up after ${seconds} s, ${waiting} messages to be folded`,
    );
  }
  /** A step that was killed at an unlucky moment is queued again a quarter of an hour later. */
  async function rebuilt() {
    for (;;) {
      const found = await api("/health", health);
      if (found.shards.every(({ rebuild }) => rebuild?.status === "done")) return found;
      await pause(1_000);
      await tick(Date.now() + 4 * hourMs);
    }
  }
  /** Work that is killed in the middle, then done to the end. */
  async function killDuring(what: string, work: () => Promise<void>): Promise<void> {
    const first = work().catch(() => {});
    await Promise.race([pause(draw.whole(0, longestLifeMs)), first]);
    await kill(`during ${what}`);
    await first;
    await work();
  }

  try {
    await system.start();
    for (const metric of metrics) await api("/metrics", z.unknown(), metric);
    await api("/experiments", z.unknown(), experiment);
    await api("/experiments/soak/start", z.unknown(), {});

    const sent = traffic({ seed, events, batchEvents, endMs: Date.now() });
    const to = { url: system.url, key };
    const pace = { mostEvents: 0 };
    const clientDraw = random(seed, "client");
    const sending = sendAll(sent.batches(), to, { draw: clientDraw, progress, pace });
    const whileSending = kills - otherKills;
    for (let i = 1; i <= whileSending; i++) {
      // A part of the events is sent and folded, or some of it, or nothing.
      pace.mostEvents = (i / whileSending) * events;
      await Promise.race([pause(draw.whole(0, longestLifeMs)), sending]);
      await kill("while sending and folding");
    }
    pace.mostEvents = Infinity;
    await sending;
    say(`all ${sent.expected.events} events acknowledged`);
    await killDuring("the rest of the folding", () => callControls(folder, "/drained"));
    say("everything folded");

    const found: Found = {};
    const check = async (when: string): Promise<void> => {
      found[when] = [
        ...compareCells(sent.expected, await api("/experiments/soak/results", resultsAnswer)),
        ...(await compareArchive(sent.expected, folder)),
      ];
      say(`compared when ${when}`);
    };
    await tick(Date.now());
    await check("folded");

    await killDuring("compaction", () => tick(Date.now() + 2 * hourMs));
    await tick(Date.now() + 3 * hourMs);
    await check("compacted");

    await api("/rebuilds", z.unknown(), { reason: "soak" });
    await killDuring("the rebuild", () => tick(Date.now() + 4 * hourMs));
    const { shards, deadLetters } = await rebuilt();
    const differing = shards.map(({ rebuild }) => rebuild?.difference?.rows ?? NaN);
    await tick(Date.now() + 5 * hourMs);
    await check("counted anew");

    report(found);
    const off = [
      ...Object.values(found).flatMap((lines) => lines.filter(isOff)),
      ...[...differing, deadLetters.count].filter((n) => n !== 0),
    ];
    const missed = Object.entries(progress.unacknowledged).map(([how, n]) => `${n} ${how}`);
    say(
      `rows that the rebuild found different, by shard: ${differing.join(", ")}; dead letters: ${deadLetters.count}`,
    );
    say(
      `${killed} kills, seed ${seed}: ${progress.acknowledged} events acknowledged in ${progress.requests} requests, others of which were not: ${missed.join(", ")}`,
    );
    say(off.length === 0 ? "nothing lost, nothing twice" : `${off.length} figures are OFF`);
    if (off.length > 0) process.exitCode = 1;
    await system.stop();
    if (data === undefined && off.length === 0) {
      await rm(folder, { recursive: true, force: true });
    } else {
      say(`the state is in ${folder}`);
    }
  } finally {
    await system.kill();
  }
});

/** By when they were compared. */
interface Found {
  [when: string]: Line[];
}

function isOff({ expected, found }: Line): boolean {
  return expected !== found;
}

function report(found: Found): void {
  const times = Object.values(found);
  const rows = (times[0] ?? []).map(({ figure, expected }, i) => [
    figure,
    expected,
    ...times.map((lines) => lines[i]?.found ?? null),
  ]);
  console.log(formatTable({ columns: ["figure", "sent", ...Object.keys(found)], rows }));
}

function readOptions() {
  const values = parseOptions({
    events: { type: "string", default: "1000000" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    data: { type: "string" },
  });
  return {
    events: wholeNumber("events", values.events, { from: 1_000, to: 1_000_000_000 }),
    kills: wholeNumber("kills", values.kills, { from: otherKills + 1, to: 10_000 }),
    seed: wholeNumber("seed", values.seed, { from: 0, to: 2 ** 31 }),
    data: values.data,
  };
}

/** The totals are those of this run's events alone. */
async function requireEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0) throw new UsageError(`${folder} is not empty; name another with --data`);
}
