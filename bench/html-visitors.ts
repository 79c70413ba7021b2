/// <reference types="node" />
/**
 * 100,000 new visitors of the example shop, over HTTP through everything that `npm start` runs: what they are painted, what is counted
 * of it, and the sample-ratio test. `npm run bench:html-visitors`; ends with exit code 1 when a figure is not as it should be.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod/mini";
import { demoEnvironment, seedDemo } from "../scripts/local/demo.ts";
import { startRunner } from "../scripts/local/runner.ts";
import { inParallel } from "../test/harness.ts";

const VISITORS = 100_000;
const AT_ONCE = 32;
const adminKey = "ew_admin_bench_visitors";

const resultsShape = z.object({
  sampleRatio: z.object({
    observed: z.record(z.string(), z.number()),
    pValue: z.nullable(z.number()),
    mismatch: z.boolean(),
  }),
});

const folder = await mkdtemp(join(tmpdir(), "edgewise-visitors-"));
const runner = await startRunner({
  port: 0,
  dataFolder: folder,
  environments: [demoEnvironment],
  examplesFor: demoEnvironment,
  adminKey,
});
try {
  await runner.tick(new Date());
  await seedDemo(runner.url, adminKey);
  await experimentIsSeen();
  const painted = { control: 0, free_returns: 0 };
  const units = new Set<string>();
  const startedMs = performance.now();
  await inParallel([...Array(VISITORS).keys()], AT_ONCE, async () => {
    const response = await fetch(`${runner.url}/examples/shop`, {
      headers: { "user-agent": "Mozilla/5.0 (bench) Firefox/150.0" },
    });
    const text = await response.text();
    painted[text.includes(">Buy now, return for free<") ? "free_returns" : "control"] += 1;
    units.add(/edgewise_visitor=([^;]+)/.exec(response.headers.get("set-cookie") ?? "")?.[1] ?? "");
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  await runner.drained();
  await runner.tick(new Date());
  const response = await fetch(`${runner.url}/api/v1/experiments/shop_buy_button/results`, {
    headers: { authorization: `Bearer ${adminKey}`, "x-edgewise-environment": demoEnvironment },
  });
  const { sampleRatio } = z.parse(resultsShape, await response.json());
  console.table({
    "visitors that were painted it": painted,
    "units counted as exposed": sampleRatio.observed,
  });
  console.log(
    `${VISITORS} visitors in ${seconds.toFixed(0)} s, ${units.size} ids; sample ratio p = ${sampleRatio.pValue?.toPrecision(3)}`,
  );
  const isSame = Object.entries(painted).every(
    ([variant, count]) => sampleRatio.observed[variant] === count,
  );
  if (
    !isSame ||
    units.size !== VISITORS ||
    sampleRatio.mismatch ||
    (sampleRatio.pValue ?? 0) < 0.001
  ) {
    console.error("What was painted is not what was counted, or the shares are not even.");
    process.exitCode = 1;
  }
} finally {
  await runner.stop();
  await rm(folder, { recursive: true, force: true });
}

/** The example looks again for its configuration within seconds; asked as a bot, which is counted nowhere. */
async function experimentIsSeen(): Promise<void> {
  let isSeen = false;
  while (!isSeen) {
    const response = await fetch(`${runner.url}/examples/shop`, {
      headers: { "user-agent": "waiting-bot/1.0" },
    });
    isSeen = (await response.text()).includes('"variant":"control"');
  }
}
