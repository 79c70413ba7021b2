/// <reference types="node" />
/**
 * Latency at a steady rate: requests leave when they are due, whether or not earlier ones have come back, and each is timed from when it
 * was due. A generator that sends in bursts, or waits for answers, would measure itself.
 */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Target } from "./http-targets.ts";

interface Latency {
  p50: number;
  p99: number;
}

/** Milliseconds. */
export async function latencyAt(
  target: Target,
  { requestsPerSecond, seconds }: { requestsPerSecond: number; seconds: number },
): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const latencies: number[] = [];
  const underWay = new Set<Promise<void>>();
  const begin = performance.now();
  const count = Math.floor(requestsPerSecond * seconds);
  for (let sent = 0; sent < count;) {
    const due = Math.min(count, ((performance.now() - begin) / 1_000) * requestsPerSecond);
    for (; sent < due; sent++) {
      const dueAt = begin + (sent / requestsPerSecond) * 1_000;
      const asked = ask(target, agent, sent)
        .then(() => void latencies.push(performance.now() - dueAt))
        .finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
    await pause(1);
  }
  await Promise.all(underWay);
  agent.destroy();
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

async function ask(target: Target, agent: Agent, index: number): Promise<void> {
  const body = target.newUnits ? target.body.replace("[<id>]", `paced-${index}`) : target.body;
  const headers = {
    ...target.headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  await new Promise<void>((answered, failed) => {
    const asked = request(target.url, { method: "POST", headers, agent }, (response) => {
      response.resume();
      response.on("error", failed);
      response.on("end", () => {
        if (response.statusCode === 200) answered();
        else failed(new Error(`${target.name}: ${response.statusCode}`));
      });
    });
    asked.on("error", failed);
    asked.end(body);
  });
}
