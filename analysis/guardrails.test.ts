import { expect, test } from "vitest";
import type { Breach, Phase, PhaseMetric } from "../contracts/phase.ts";
import type { CohortRows } from "../counting/aggregate.ts";
import { seededRandom } from "../test/seeded-random.ts";
import { metricOf, phaseOf, startMs } from "./fixtures.ts";
import { breachSentence, guardrailAlarms } from "./guardrails.ts";

const hourMs = 3_600_000;

const errors = (more: Partial<PhaseMetric> = {}) =>
  metricOf("errors", { role: "guardrail", direction: "decrease", ...more });

function guardedPhase(metric: PhaseMetric, controlShare = 0.5, more: Partial<Phase> = {}): Phase {
  const control = controlShare * 10_000;
  return phaseOf(
    {
      metrics: [metricOf("m"), metric],
      variants: [
        { variant: "a", weightBasisPoints: control },
        { variant: "b", weightBasisPoints: 10_000 - control },
      ],
      ...more,
    },
    { maximumSampleSize: 100_000 },
  );
}

/** Cohort `hour` after the start: units and conversions of both variants. */
function rowsOf(...cohorts: { hour: number; a: [number, number]; b: [number, number] }[]) {
  const rows = { populations: [], cells: [] } as {
    populations: CohortRows["populations"][number][];
    cells: CohortRows["cells"][number][];
  };
  for (const { hour, ...variants } of cohorts) {
    for (const [variant, [n, y]] of Object.entries(variants)) {
      const cohortStart = startMs / hourMs + hour;
      const place = { variant, dimension: "", value: "", cohortStart, cohortHours: 1 };
      rows.populations.push({ ...place, n });
      rows.cells.push({
        ...place,
        metric: "errors",
        y,
        yy: y,
        d: 0,
        dd: 0,
        yd: 0,
        x: 0,
        xx: 0,
        xy: 0,
      });
    }
  }
  return rows;
}

/** Well after the window (1 h) and the grace of the cohort have passed. */
const afterHour = (hour: number) => ({
  asOfMs: startMs + (hour + 3) * hourMs,
  nowMs: startMs + (hour + 3) * hourMs + 20_000,
});

const harmful = rowsOf({ hour: 0, a: [5_000, 500], b: [5_000, 750] });

test("harm beyond the margin alarms with its numbers, harm within it does not", () => {
  const [alarm] = guardrailAlarms(guardedPhase(errors()), harmful, afterHour(0));
  expect(alarm).toMatchObject({
    metric: "errors",
    variant: "b",
    evidence: {
      alpha: 0.05,
      control: { n: 5_000, mean: 0.1 },
      treatment: { n: 5_000, mean: 0.15 },
    },
  });
  expect(alarm && breachSentence(alarm)).toMatch(
    /errors of b is 0\.1500 of 5000 units against 0\.1000 of 5000 \(\+50\.0 %\); no harm is allowed/,
  );
  const allowed = guardedPhase(errors({ maxRelativeHarm: 0.5 }));
  expect(guardrailAlarms(allowed, harmful, afterHour(0))).toEqual([]);
  const margin = guardedPhase(errors({ maxRelativeHarm: 0.1 }));
  expect(guardrailAlarms(margin, harmful, afterHour(0))).toHaveLength(1);
});

test("harm is what is undesired: fewer errors never alarm, fewer purchases do", () => {
  const fewer = rowsOf({ hour: 0, a: [5_000, 750], b: [5_000, 500] });
  expect(guardrailAlarms(guardedPhase(errors()), fewer, afterHour(0))).toEqual([]);
  const purchases = guardedPhase(errors({ direction: "increase" }));
  expect(guardrailAlarms(purchases, fewer, afterHour(0))).toHaveLength(1);
  const none = rowsOf({ hour: 0, a: [5_000, 750], b: [5_000, 0] });
  expect(guardrailAlarms(purchases, none, afterHour(0))).toHaveLength(1);
});

test("units whose window has not closed are not watched yet", () => {
  const early = { asOfMs: startMs + 2 * hourMs, nowMs: startMs + 2 * hourMs };
  expect(guardrailAlarms(guardedPhase(errors()), harmful, early)).toEqual([]);
});

test("the same data alarm once: afterwards only units that are first exposed from the next full hour on can", () => {
  const [alarm] = guardrailAlarms(guardedPhase(errors()), harmful, afterHour(0));
  const resumed = guardedPhase(errors(), 0.5, { breaches: [alarm as Breach] });
  expect(alarm?.watchesFromMs).toBe(startMs + 4 * hourMs);
  // Late events, and what was being exposed while it was paused, belong to what has alarmed.
  const later = rowsOf(
    { hour: 0, a: [9_000, 900], b: [9_000, 1_500] },
    { hour: 3, a: [5_000, 500], b: [5_000, 750] },
  );
  expect(guardrailAlarms(resumed, later, afterHour(20))).toEqual([]);
  const sound = {
    hour: 4,
    a: [5_000, 500] as [number, number],
    b: [5_000, 505] as [number, number],
  };
  expect(
    guardrailAlarms(
      resumed,
      rowsOf({ hour: 0, a: [5_000, 500], b: [5_000, 750] }, sound),
      afterHour(20),
    ),
  ).toEqual([]);
  const again = rowsOf({ hour: 4, a: [5_000, 500], b: [5_000, 750] });
  const [second] = guardrailAlarms(resumed, again, afterHour(20));
  expect(second?.evidence.watchedFromMs).toBe(startMs + 4 * hourMs);
});

test("the margin's own error counts: it is a share of a control mean that is itself an estimate", () => {
  const phase = guardedPhase(errors({ maxRelativeHarm: 0.2 }));
  const alarms = (y: number) =>
    guardrailAlarms(phase, rowsOf({ hour: 0, a: [20_000, 2_000], b: [20_000, y] }), afterHour(0));
  // 0.1305 - 1.2 × 0.1: 3.3 standard errors were the margin known, 3.0 as it is; the sequence asks for 3.13.
  expect(alarms(2_610)).toEqual([]);
  expect(alarms(2_700)[0]?.evidence.excess).toBeCloseTo(0.015, 12);
});

/** Conversions among n units (Bernoulli by geometric gaps). */
function conversions(n: number, rate: number, random: () => number): number {
  let count = 0;
  for (let at = gap(); at < n; at += 1 + gap()) count += 1;
  return count;
  function gap(): number {
    return Math.floor(Math.log(1 - random()) / Math.log(1 - rate));
  }
}

interface Fleet {
  share: number;
  rate: number;
  direction: "increase" | "decrease";
  /** Of the treatment, from 2 % of the plan on. */
  harmfulRate?: number;
}

/** Share of experiments that alarm at some of the refreshes, which go from 500 units to 60,000 in 40. */
function alarmRate(
  { share, rate, direction, harmfulRate = rate }: Fleet,
  { experiments, seed, refreshes = 40 }: { experiments: number; seed: number; refreshes?: number },
): number {
  const random = seededRandom(seed);
  const phase = guardedPhase(errors({ direction }), share);
  let alarmed = 0;
  for (let i = 0; i < experiments; i += 1) {
    const cohorts: Parameters<typeof rowsOf> = [];
    let units = 0;
    const isAlarmed = Array.from({ length: refreshes }, (_, hour) => {
      const total = Math.round(500 * 1.13 ** hour);
      const a = Math.round((total - units) * share);
      const b = total - units - a;
      units = total;
      cohorts.push({
        hour,
        a: [a, conversions(a, rate, random)],
        b: [b, conversions(b, units > 2_000 ? harmfulRate : rate, random)],
      });
      return guardrailAlarms(phase, rowsOf(...cohorts), afterHour(hour)).length > 0;
    }).some(Boolean);
    if (isAlarmed) alarmed += 1;
  }
  return alarmed / experiments;
}

test.each([
  { share: 0.9, rate: 0.01, direction: "increase", seed: 1 },
  { share: 0.9, rate: 0.05, direction: "increase", seed: 2 },
  { share: 0.9, rate: 0.05, direction: "decrease", seed: 3 },
  { share: 0.5, rate: 0.05, direction: "decrease", seed: 4 },
] as const)(
  "300 A/A experiments, $share of the units in the control, rate $rate, a metric that should $direction (seed $seed): at most 5 % ever alarm in 40 refreshes",
  ({ seed, ...fleet }) => {
    expect(alarmRate(fleet, { seed, experiments: 300 })).toBeLessThanOrEqual(0.05);
  },
  60_000,
);

test("a 20 % harm planted at 2 % of the planned sample alarms before the first look in at least 95 of 100 experiments (seed 5)", () => {
  const fleet: Fleet = { share: 0.5, rate: 0.2, harmfulRate: 0.24, direction: "decrease" };
  // 500 × 1.13^29 units: 17 % of the plan; the first look is at 20 %.
  const rate = alarmRate(fleet, { seed: 5, experiments: 100, refreshes: 30 });
  expect(rate).toBeGreaterThanOrEqual(0.95);
}, 60_000);

test("500 A/A experiments whose ratio has a denominator in 2 of 1,000 units, 10 % of them in the treatment (seed 6): at most 5 % ever alarm in 20 refreshes", () => {
  const random = seededRandom(6);
  const phase = guardedPhase(errors({ type: "ratio" }), 0.9);
  const sumsOf = (n: number) => {
    const sums = { y: 0, yy: 0, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
    for (let i = conversions(n, 0.002, random); i > 0; i -= 1) {
      const d = 1 + Math.floor(random() * 3);
      const y = Array.from({ length: d }, () => 5 * Number(random() < 0.2)).reduce((p, q) => p + q);
      sums.y += y;
      sums.yy += y * y;
      sums.d += d;
      sums.dd += d * d;
      sums.yd += y * d;
    }
    return sums;
  };
  const alarmed = Array.from({ length: 500 }, () => {
    const populations: CohortRows["populations"][number][] = [];
    const cells: CohortRows["cells"][number][] = [];
    return Array.from({ length: 20 }, (_, hour) => {
      for (const [variant, n] of [
        ["a", 900],
        ["b", 100],
      ] as const) {
        const cohortStart = startMs / hourMs + hour;
        const place = { variant, dimension: "", value: "", cohortStart, cohortHours: 1 };
        populations.push({ ...place, n });
        cells.push({ ...place, metric: "errors", ...sumsOf(n) });
      }
      return guardrailAlarms(phase, { populations, cells }, afterHour(hour)).length > 0;
    }).some(Boolean);
  }).filter(Boolean).length;
  expect(alarmed / 500).toBeLessThanOrEqual(0.05);
}, 60_000);

test("a ratio that doubles alarms as soon as both denominators are known well enough", () => {
  const phase = guardedPhase(errors({ type: "ratio" }));
  const cellOf = (variant: string, buyers: number, each: number) => {
    const cohortStart = startMs / hourMs;
    const place = { variant, dimension: "", value: "", cohortStart, cohortHours: 1 };
    // Each buyer has one order; every other one returns `each` items.
    const y = (buyers / 2) * each;
    const sums = { y, yy: y * each, d: buyers, dd: buyers, yd: y, x: 0, xx: 0, xy: 0 };
    return {
      population: { ...place, n: 10_000 },
      cell: { ...place, metric: "errors", ...sums },
    };
  };
  const rows = [cellOf("a", 1_000, 1), cellOf("b", 1_000, 2)];
  const alarms = guardrailAlarms(
    phase,
    { populations: rows.map((row) => row.population), cells: rows.map((row) => row.cell) },
    afterHour(0),
  );
  expect(alarms).toMatchObject([{ evidence: { control: { mean: 0.5 }, treatment: { mean: 1 } } }]);
});
