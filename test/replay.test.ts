/** `npm run replay` on a small file: again it changes nothing, otherwise it is refused. */

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { claimFolder } from "../scripts/local/control-socket.ts";
import type { Claim } from "../scripts/local/control-socket.ts";
import { resultsShape, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const run = promisify(execFile);

let system: System;
let claim: Claim;
beforeAll(async () => {
  system = await startSystem();
  claim = await claimFolder(system.dataFolder);
  claim.serve({ ...system.runner, hold: () => {}, release: () => {} });
});
afterAll(async () => {
  await claim.release();
  await system.destroy();
});

const results = () =>
  system.expectOk(resultsShape, system.call("GET", "/api/v1/experiments/small/results"));

async function replay(file: string, ...more: string[]): Promise<string> {
  const options = `--file ${file} --experiment small --unit id --variant arm --metric spent=spent`;
  const where = `--url ${system.runner.url} --key ${system.adminKey} --data ${system.dataFolder}`;
  const { stdout } = await run("node", [
    "scripts/replay.ts",
    ...`${options} ${where}`.split(" "),
    ...more,
  ]);
  return stdout;
}

test("a replay counts the rows, the same one again changes no figure, and another schedule is refused", async () => {
  const file = join(system.dataFolder, "small.csv");
  const rows = Array.from({ length: 300 }, (_, i) => `u${i},${i % 3 === 0 ? "b" : "a"},${i % 7}`);
  await writeFile(file, ["id,arm,spent", ...rows, ""].join("\n"));
  const sum = (arm: string) =>
    rows.reduce((total, row) => total + (row.includes(`,${arm},`) ? Number(row.at(-1)) : 0), 0);
  expect(await replay(file, "--create")).toContain("300 rows sent as");
  const first = await results();
  expect(first.metrics[0]?.variants).toMatchObject({
    a: { n: 200, sum: sum("a") },
    b: { n: 100, sum: sum("b") },
  });

  await replay(file);
  await system.runner.tick(new Date());
  expect(await results()).toEqual(first);

  const refused = replay(file, "--days", "3").catch((error: unknown) => error);
  expect(await refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("that are not of this file") as string,
  });
  expect(await results()).toEqual(first);
});
