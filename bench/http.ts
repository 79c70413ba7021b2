/// <reference types="node" />
/**
 * Requests a second of `POST /api/v1/evaluate` in workerd, three experiments a call, beside a bare Hono worker that parses the same
 * body and answers JSON of the same size. Run it alone: `npm run bench:http`. Ratios compare rows of one run: the rounds of all rows
 * take turns. What is asked directly has a socket of its own; the local runner is asked as `npm start` serves it, through Miniflare's
 * entry worker, and so is the bare worker that its rows are compared with.
 */
import autocannon from "autocannon";
import { startHttpTargets } from "./http-targets.ts";
import type { Target } from "./http-targets.ts";
import { latencyAt } from "./paced-latency.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 4;
const LATENCY_SECONDS = 8;
const CONNECTIONS = 16;

async function load(target: Target, duration: number): Promise<autocannon.Result> {
  const result = await autocannon({
    url: target.url,
    method: "POST",
    headers: { ...target.headers, "content-type": "application/json" },
    body: target.body,
    idReplacement: target.newUnits,
    connections: CONNECTIONS,
    duration,
  });
  if (result.errors + result.non2xx > 0) {
    throw new Error(`${target.name}: ${result.errors} errors, ${result.non2xx} refusals`);
  }
  return result;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const { targets, stop } = await startHttpTargets();
try {
  const rates = new Map(targets.map((target) => [target.name, new Array<number>()]));
  for (const target of targets) await load(target, 2);
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) {
      const { requests } = await load(target, ROUND_SECONDS);
      rates.get(target.name)?.push(requests.average);
      await target.settled();
    }
  }
  const rows: Record<string, object> = {};
  for (const target of targets) {
    const perSecond = median(rates.get(target.name) ?? []);
    const bare = median(rates.get(target.comparedWith) ?? []);
    const latency = await latencyAt(target, {
      requestsPerSecond: perSecond / 2,
      seconds: LATENCY_SECONDS,
    });
    await target.settled();
    rows[target.name] = {
      "requests/s": Math.round(perSecond),
      ratio: Number((perSecond / bare).toFixed(2)),
      "p50 ms": Number(latency.p50.toFixed(1)),
      "p99 ms": Number(latency.p99.toFixed(1)),
    };
  }
  console.table(rows);
} finally {
  await stop();
}
