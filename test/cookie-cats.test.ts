/**
 * A real experiment, replayed as a person would: 90,189 players of a mobile game (third-party data, read from the shared folder).
 * The figures are those that anybody can count in the file.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimFolder } from "../scripts/local/control-socket.ts";
import { resultsShape, startSystem } from "./harness.ts";
import type { ResultsShape, System } from "./harness.ts";
import { sharedFile } from "./shared-folder.ts";

const file = sharedFile("data/cookie_cats.csv");
const run = promisify(execFile);

describe.skipIf(file === null)("Cookie Cats", () => {
  let system: System;
  let stopControls: () => Promise<void>;

  async function up(dataFolder?: string): Promise<void> {
    system = await startSystem(dataFolder);
    const claim = await claimFolder(system.dataFolder);
    claim.serve({ ...system.runner, hold: () => {}, release: () => {} });
    stopControls = claim.release;
  }
  beforeAll(() => up());
  afterAll(async () => {
    await stopControls();
    await system.destroy();
  });

  async function replay(experiment: string, ...more: string[]): Promise<string> {
    const known = `--file ${file ?? ""} --experiment ${experiment} --unit userid --variant version --metric retention_1=retention_1 --metric retention_7=retention_7`;
    const where = `--url ${system.runner.url} --key ${system.adminKey} --data ${system.dataFolder}`;
    const options = [...`${known} ${where}`.split(" "), ...more];
    const { stdout } = await run("node", ["scripts/replay.ts", ...options]);
    return stdout;
  }

  const results = (experiment: string): Promise<ResultsShape> =>
    system.expectOk(resultsShape, system.call("GET", `/api/v1/experiments/${experiment}/results`));

  function expectTheKnownFigures({ sampleRatio, metrics }: ResultsShape): void {
    const [day1, day7] = metrics;
    expect(day1?.variants).toMatchObject({
      gate_30: { n: 44_700, sum: 20_034 },
      gate_40: { n: 45_489, sum: 20_119 },
    });
    expect(day7?.variants).toMatchObject({
      gate_30: { n: 44_700, sum: 8_502 },
      gate_40: { n: 45_489, sum: 8_279 },
    });
    expect(day1?.comparisons[0]?.pValue).toBeCloseTo(0.0744, 4);
    expect(day7?.comparisons[0]?.pValue).toBeCloseTo(0.0016, 4);
    expect(sampleRatio.pValue).toBeCloseTo(0.0086, 4);
    expect(sampleRatio.mismatch).toBe(false);
  }

  test("replayed, replayed again, and restarted in between: the same known figures", async () => {
    const printed = await replay("cookie_cats", "--create");
    expect(printed).toContain("90189 rows sent as 147123 events: 147123 accepted, 0 refused");
    const first = await results("cookie_cats");
    expectTheKnownFigures(first);

    await stopControls();
    await system.stop();
    await up(system.dataFolder);
    const restarted = await results("cookie_cats");
    expect(restarted).toEqual(first);

    await replay("cookie_cats");
    await system.runner.tick(new Date());
    expect(await results("cookie_cats")).toEqual(first);
  });

  test("in 14 daily stretches the looks come out as they would have: one a day until a boundary is crossed", async () => {
    await replay("cookie_cats_daily", "--create", "--days", "14", "--metric", "week=retention_7");
    const { metrics } = await results("cookie_cats_daily");
    expectTheKnownFigures({ ...(await results("cookie_cats_daily")), metrics });
    const looks = metrics[0]?.comparisons[0]?.sequential?.looks ?? [];
    expect(looks.map(({ look }) => look)).toEqual(looks.map((_, index) => index + 1));
    expect(looks).toHaveLength(14);
    expect(looks.at(-1)?.informationFraction).toBeGreaterThan(0.999);
    expect(looks.at(-1)?.alphaSpent).toBeCloseTo(0.05, 12);
  });
});
