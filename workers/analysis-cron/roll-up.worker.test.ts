import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { refreshed } from "../../analysis/refresh.ts";
import type { PhaseFigures } from "../../analysis/refresh.ts";
import type { Phase } from "../../contracts/phase.ts";
import { buildCountingPlan } from "../../control/build-snapshot.ts";
import { compilePlan } from "../../counting/plan.ts";
import type { CountedEvent } from "../../counting/types.ts";
import { cellRollUp } from "../../stores/cell-roll-up.ts";
import { cellStore } from "../../stores/cell-store.ts";
import { rebuildDifference } from "../../stores/rebuild-difference.ts";
import { experimentKey } from "../../stores/rebuild-store.ts";
import { foldIntoRebuild, unitShard } from "../../stores/unit-shard.ts";
import { atMs, definitionOf, metricOf, startedOf, stateOf } from "../../test/control-state.ts";
import { wipe } from "../../test/worker-shard.ts";
import { planRollUps, rollUp } from "./roll-up.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** Midnight after the start. */
const first = Math.ceil(atMs / day) * day;
const record = startedOf({ dimensions: ["country"] });
const [phase] = record.phases;
if (phase === undefined) throw new Error("no phase");
const state = stateOf({ metrics: [definitionOf(metricOf())], experiments: [record] });
const plan = compilePlan(buildCountingPlan(state));
const environment = state.id;

const services = (running: Phase = phase) => ({
  shard: () => cellRollUp(env.METRICS_0),
  experiments: async () => [{ ...record, phases: [running] }],
});
const message = (asOfMs: number) => ({ v: 1, task: "roll-up", shard: 0, asOfMs }) as const;

/** Three units an hour, for so many days; one of each three buys an hour later. */
const traffic = (days: number): CountedEvent[] =>
  Array.from({ length: days * 24 * 3 }, (_, i): CountedEvent[] => {
    const unit = { kind: "targetingKey", unit: `u${i}`, source: "server" } as const;
    const timeMs = first + Math.floor(i / 3) * hour + i;
    const variant = i % 2 === 0 ? "control" : "one_page";
    const country = i % 5 === 0 ? "FR" : "US";
    return [
      {
        type: "exposure",
        experiment: "checkout",
        variant,
        timeMs,
        attributes: { country },
        ...unit,
      },
      ...(i % 3 === 0
        ? [
            {
              type: "outcome",
              id: `o${i}`,
              name: "purchase",
              timeMs: timeMs + hour,
              ...unit,
            } as const,
          ]
        : []),
    ];
  }).flat();

const batchOf = (events: readonly CountedEvent[]) => {
  const receivedAtMs = Math.max(...events.map(({ timeMs }) => timeMs));
  return { environment, receivedAtMs, events };
};
const fold = (events: readonly CountedEvent[]) =>
  unitShard(env.METRICS_0).fold(new Map([[environment, plan]]), [batchOf(events)], first);

async function figures(): Promise<PhaseFigures> {
  const [shard] = await cellStore([env.METRICS_0]).readFigures(environment, "checkout", 1);
  if (shard === undefined) throw new Error("no shard");
  const quality = { quarantinedUnits: 0, botExposures: 0, lateEvents: 0, outsidePhaseUnits: 0 };
  return { rows: shard, quality, lastEventMs: shard.activity?.lastEventMs ?? null };
}

/** What somebody would be told at these times. */
const answers = async (times: readonly number[]) => {
  const read = await figures();
  return times.map((asOfMs) =>
    refreshed({ record, phase, figures: read, ledger: [], logEvidenceBefore: 0, asOfMs }),
  );
};

/** Of all units, or of countries. */
const cohorts = async (table = "cells", dimension = "") => {
  const { results } = await env.METRICS_0.prepare(
    `SELECT cohort_hours AS hours, count(DISTINCT cohort_start) AS n FROM ${table} WHERE dimension = ? GROUP BY 1 ORDER BY 1`,
  )
    .bind(dimension)
    .all();
  return results;
};

beforeEach(() => wipe(env.METRICS_0));

describe("cohorts of hours become cohorts of days", () => {
  const settled = first + 3 * day + 7 * day;

  test("once nothing changes for it: every answer stays the same, whenever it is asked from then on", async () => {
    await fold(traffic(3));
    const times = [0, 1, hour, day, 30 * day].map((ms) => settled + ms);
    const before = await answers(times);
    expect(await rollUp(services(), message(settled))).toBe(false);
    expect(await answers(times)).toEqual(before);
    // The newest day stays as it is.
    for (const table of ["populations", "cells"]) {
      expect(await cohorts(table)).toEqual([
        { hours: 1, n: 24 },
        { hours: 24, n: 2 },
      ]);
    }
    expect(before[0]?.sampleRatio.observed).toEqual({ control: 108, one_page: 108 });
  });

  test("not before the windows of its last hour have closed and late events have come", async () => {
    await fold(traffic(2));
    const due = first + day + 72 * hour + 15 * 60_000 + 3 * day;
    await rollUp(services(), message(due - 1));
    expect(await cohorts()).toEqual([{ hours: 1, n: 48 }]);
    await rollUp(services(), message(due));
    expect(await cohorts()).toEqual([
      { hours: 1, n: 24 },
      { hours: 24, n: 1 },
    ]);
  });

  test("values of dimensions as soon as a day is over, because nothing reads them by cohort", async () => {
    await fold(traffic(3));
    const asOfMs = first + 2 * day + 5 * hour;
    const times = [asOfMs, asOfMs + day];
    const before = await answers(times);
    await rollUp(services(), message(asOfMs));
    expect(await answers(times)).toEqual(before);
    for (const table of ["populations", "cells"]) {
      expect(await cohorts(table)).toEqual([{ hours: 1, n: 72 }]);
      expect(await cohorts(table, "country")).toEqual([
        { hours: 1, n: 24 },
        { hours: 24, n: 2 },
      ]);
    }
  });

  test("but for a day inside which a guardrail began to watch anew", async () => {
    await fold(traffic(3));
    const breach = { watchesFromMs: first + day + 5 * hour };
    const watched = { ...phase, breaches: [breach] } as Phase;
    await rollUp(services(watched), message(settled));
    expect(await cohorts()).toEqual([
      { hours: 1, n: 48 },
      { hours: 24, n: 1 },
    ]);
  });

  test("what comes later for such a day counts as before, and is rolled up the next time", async () => {
    await fold(traffic(3));
    await rollUp(services(), message(settled));
    const unit = traffic(1).find((event) => event.unit === "u1");
    if (unit === undefined) throw new Error("no unit");
    const late = { kind: "targetingKey", unit: "u1", source: "import" } as const;
    await fold([
      { type: "outcome", id: "late", name: "purchase", timeMs: unit.timeMs + hour, ...late },
      {
        type: "exposure",
        experiment: "checkout",
        variant: "control",
        timeMs: unit.timeMs,
        ...late,
        unit: "new",
      },
      {
        type: "exposure",
        experiment: "checkout",
        variant: "control",
        timeMs: unit.timeMs,
        ...late,
        unit: "u0",
      },
    ]);
    const [answer] = await answers([settled]);
    expect(answer?.sampleRatio.observed).toEqual({ control: 109, one_page: 108 });
    expect(answer?.metrics[0]?.variants["one_page"]?.sum).toBe(37);
    expect(await cohorts()).toEqual([
      { hours: 1, n: 25 },
      { hours: 24, n: 2 },
    ]);
    await rollUp(services(), message(settled));
    expect(await cohorts()).toEqual([
      { hours: 1, n: 24 },
      { hours: 24, n: 2 },
    ]);
    expect(await answers([settled])).toEqual([answer]);
  });

  test("twice, and many days in several steps, the same", async () => {
    const days = 22 * 7;
    const some = traffic(days).filter((_, i) => i % 20 === 0);
    await fold(some);
    const asOfMs = first + (days + 10) * day;
    const before = await answers([asOfMs]);
    const steps: boolean[] = [];
    for (let step = 0; step < 4; step++) steps.push(await rollUp(services(), message(asOfMs)));
    // 22 transactions for all units, and 22 for the countries.
    expect(steps).toEqual([true, true, false, false]);
    expect(await answers([asOfMs])).toEqual(before);
    expect((await cohorts("populations"))[1]).toEqual({ hours: 24, n: days - 1 });
  });
});

test("a rebuild, which counts by the hour, finds no difference to what was rolled up, and still one that there is", async () => {
  const events = traffic(3);
  await fold(events);
  await rollUp(services(), message(first + 10 * day));
  await foldIntoRebuild(env.METRICS_0, new Map([[environment, plan]]), [batchOf(events)]);
  const compared = () => rebuildDifference(env.METRICS_0, [experimentKey(environment, "checkout")]);
  expect(await compared()).toEqual({ rows: 0, experiments: [], incomplete: [] });
  await env.METRICS_0.prepare(
    "UPDATE cells SET y = y + 1 WHERE cohort_hours = 24 AND dimension = '' AND variant = 'control'",
  ).run();
  expect(await compared()).toMatchObject({ rows: 2, incomplete: [] });
});

test("a rebuild compares all units by the hour while only the values of dimensions are rolled up", async () => {
  const events = traffic(3);
  await fold(events);
  await rollUp(services(), message(first + 3 * day));
  expect(await cohorts("cells", "country")).toEqual([{ hours: 24, n: 3 }]);
  expect(await cohorts()).toEqual([{ hours: 1, n: 3 * 24 }]);
  await foldIntoRebuild(env.METRICS_0, new Map([[environment, plan]]), [batchOf(events)]);
  const compared = () => rebuildDifference(env.METRICS_0, [experimentKey(environment, "checkout")]);
  expect((await compared()).rows).toBe(0);
  // One purchase too many in one hour, and one too few in another of the same day.
  const { results } = await env.METRICS_0.prepare(
    "SELECT cohort_start FROM cells WHERE dimension = '' AND variant = 'control' AND cohort_start < ?1 LIMIT 2",
  )
    .bind(first / hour + 24)
    .all();
  for (const [i, { cohort_start }] of results.entries()) {
    await env.METRICS_0.prepare(
      "UPDATE cells SET y = y + ?1 WHERE dimension = '' AND variant = 'control' AND cohort_start = ?2",
    )
      .bind(i === 0 ? 1 : -1, cohort_start)
      .run();
  }
  expect((await compared()).rows).toBe(2);
});

test("an archived experiment is left as it is", async () => {
  await fold(traffic(2));
  const archived = {
    ...services(),
    experiments: async () => [{ ...record, status: "archived" as const }],
  };
  await rollUp(archived, message(first + 20 * day));
  expect(await cohorts()).toEqual([{ hours: 1, n: 48 }]);
});

test("every shard does it once a day, after five o'clock", () => {
  expect(planRollUps(2, first + 5 * hour)).toEqual([
    message(first + 5 * hour),
    { ...message(first + 5 * hour), shard: 1 },
  ]);
  expect(planRollUps(2, first + 5 * hour + 59_999)).toHaveLength(2);
  expect(planRollUps(2, first + 5 * hour + 60_000)).toEqual([]);
  expect(planRollUps(2, first + 5 * hour - 1)).toEqual([]);
});
