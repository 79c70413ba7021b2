/**
 * A real experiment, replayed as a person would: 90,189 players of a mobile game (third-party data, read from the shared folder).
 * The figures are those that anybody can count in the file.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimFolder } from "../scripts/local/control-socket.ts";
import { api } from "../scripts/replay/api.ts";
import { prepare } from "../scripts/replay/prepare.ts";
import { readRows } from "../scripts/replay/read-rows.ts";
import type { Row } from "../scripts/replay/read-rows.ts";
import { schedule } from "../scripts/replay/schedule.ts";
import { sender } from "../scripts/replay/send.ts";
import { survey } from "../scripts/replay/survey.ts";
import { resultsShape, seededRandom, startSystem } from "./harness.ts";
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

  async function script(name: string, options: string): Promise<string> {
    const where = `--url ${system.runner.url} --key ${system.adminKey} --data ${system.dataFolder}`;
    const { stdout } = await run("node", [
      `scripts/${name}.ts`,
      ...`${options} ${where}`.split(" "),
    ]);
    return stdout;
  }

  const replay = (experiment: string, more: string) =>
    script(
      "replay",
      `--file ${file ?? ""} --experiment ${experiment} --unit userid --variant version --metric retention_1=retention_1 --metric retention_7=retention_7 ${more}`,
    );

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

  test("in 14 daily stretches the looks come out as they would have, one a day until a boundary is crossed; the archive gives the same ledger; a restart changes nothing", async () => {
    const printed = await replay("cookie_cats_daily", "--create --days 14");
    expect(printed).toContain("90189 rows sent as 147123 events: 147123 accepted, 0 refused");
    const first = await results("cookie_cats_daily");
    expectTheKnownFigures(first);
    const looks = first.metrics[0]?.comparisons[0]?.sequential?.looks ?? [];
    expect(looks.map(({ look }) => look)).toEqual(looks.map((_, index) => index + 1));
    expect(looks).toHaveLength(14);
    expect(looks.at(-1)?.informationFraction).toBeGreaterThan(0.999);
    expect(looks.at(-1)?.alphaSpent).toBeCloseTo(0.05, 12);

    expect(await script("audit", "--experiment cookie_cats_daily")).toBe(
      "14 rows of the ledger of cookie_cats_daily: all as the archive gives them\n",
    );

    await stopControls();
    await system.stop();
    await up(system.dataFolder);
    expect(await results("cookie_cats_daily")).toEqual(first);
  });

  test("in random order (seed 1) and every row sent three times: the same known figures", async () => {
    // Metrics of its own: outcomes of the same players are in the other experiment's, too.
    const metrics = new Map([
      ["shuffled_1", "retention_1"],
      ["shuffled_7", "retention_7"],
    ]);
    const columns = { unit: "userid", variant: "version", metrics };
    const source = file ?? "";
    const client = api({ url: system.runner.url, key: system.adminKey });
    const { startedAtMs, events } = await prepare(client, await survey(source, columns), {
      experiment: "cookie_cats_shuffled",
      create: true,
      control: null,
      days: 1,
      windowHours: 1,
    });
    const rows: Row[] = [];
    for await (const reading of readRows(source, columns))
      if ("row" in reading) rows.push(reading.row);
    const times = schedule({ startedAtMs, rows: rows.length, days: 1, windowHours: 1 });
    const order = shuffled(3 * rows.length).map((i) => i % rows.length);

    const sending = sender(client, { experiment: "cookie_cats_shuffled", events });
    for (const index of order) {
      const row = rows[index];
      if (row !== undefined) await sending.add(row, times.timeMs(index));
    }
    await sending.flush();
    expect(sending).toMatchObject({ accepted: 3 * 147_123, rejected: [] });
    await system.runner.drained();
    await system.runner.tick(new Date());
    expectTheKnownFigures(await results("cookie_cats_shuffled"));
  });
});

/** The numbers below `n`, in random order. */
function shuffled(n: number): number[] {
  const random = seededRandom(1);
  const numbers = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j] ?? 0, numbers[i] ?? 0];
  }
  return numbers;
}
