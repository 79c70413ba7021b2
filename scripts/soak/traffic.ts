/**
 * The soak's events, and what they must come to. A unit's events lie in different batches, in no order: outcomes before exposures, exposures again
 * later, in a second variant now and then, outcomes told twice, and outcomes outside the window. Values are whole, so that sums are exact.
 */

import { random } from "./random.ts";

export const variants = ["control", "treatment"] as const;
export type Variant = (typeof variants)[number];

export const experiment = {
  key: "soak",
  variants: [
    { key: "control", weight: 50, value: 0, isControl: true },
    { key: "treatment", weight: 50, value: 1 },
  ],
  metrics: { primary: ["purchased"], secondary: ["revenue"] },
  plan: { maximumSampleSize: 1_000_000 },
  dimensions: ["country"],
};

const windowHours = 24;
const metric = { event: "purchase", windowHours };
export const metrics = [
  { key: "purchased", type: "proportion", ...metric },
  { key: "revenue", type: "mean", aggregation: "sum", ...metric },
];

const unitsAGroup = 20_000;
const minuteMs = 60_000;
const countries = ["DE", "FR", "US"];

/** Of all events up to now. */
export interface Expected {
  events: number;
  counted: Record<Variant, { units: number; purchased: number; revenue: number; squares: number }>;
  quarantined: number;
  /** Each identity once: unit and variant, outcome id. */
  archive: { exposures: number; outcomes: number; value: number };
}

export interface Traffic {
  /** Batches of at most `batchEvents`, in the order in which they are first sent. */
  batches(): Generator<object[]>;
  /** Whole once `batches` has ended. */
  readonly expected: Expected;
}

/** @param endMs everything happened before; the windows are closed by then */
export function traffic(options: {
  seed: number;
  events: number;
  endMs: number;
  batchEvents: number;
}): Traffic {
  const { seed, events, endMs, batchEvents } = options;
  const draw = random(seed, "traffic");
  const none = () => ({ units: 0, purchased: 0, revenue: 0, squares: 0 });
  const expected: Expected = {
    events: 0,
    counted: { control: none(), treatment: none() },
    quarantined: 0,
    archive: { exposures: 0, outcomes: 0, value: 0 },
  };
  const at = (ms: number) => new Date(ms).toISOString();

  function exposures(unit: string, seen: readonly Variant[], firstMs: number): object[] {
    const attributes = { country: countries[draw.whole(0, 2)] };
    const exposed = (variant: Variant, ms: number) => ({
      type: "exposure",
      experiment: experiment.key,
      variant,
      unit,
      timestamp: at(ms),
      attributes,
    });
    const later = draw.chance(0.3) ? [exposed(seen[0] ?? "control", firstMs + minuteMs)] : [];
    return [...seen.map((variant, i) => exposed(variant, firstMs + i * minuteMs)), ...later];
  }

  function outcomes(unit: string, firstMs: number) {
    const told: object[] = [];
    let revenue = 0;
    let bought = 0;
    const n = draw.whole(0, 3);
    for (let i = 0; i < n; i++) {
      const minutes = draw.whole(-60, 30 * 60);
      const value = draw.whole(1, 500);
      const outcome = {
        type: "outcome",
        id: `${unit}-${i}`,
        name: metric.event,
        unit,
        value,
        timestamp: at(firstMs + minutes * minuteMs),
      };
      told.push(outcome);
      if (draw.chance(0.05)) told.push(outcome);
      expected.archive.value += value;
      if (minutes < 0 || minutes >= windowHours * 60) continue;
      bought = 1;
      revenue += value;
    }
    expected.archive.outcomes += n;
    return { told, bought, revenue };
  }

  function eventsOf(unit: string): object[] {
    const variant = draw.chance(0.5) ? "control" : "treatment";
    const seen: Variant[] = draw.chance(0.01) ? [...variants] : [variant];
    // Two days of cohorts.
    const firstMs = endMs - draw.whole(32 * 60, 80 * 60) * minuteMs;
    const { told, bought, revenue } = outcomes(unit, firstMs);
    expected.archive.exposures += seen.length;
    if (seen.length > 1) {
      expected.quarantined++;
    } else {
      const sums = expected.counted[variant];
      sums.units++;
      sums.purchased += bought;
      sums.revenue += revenue;
      sums.squares += revenue ** 2;
    }
    return [...exposures(unit, seen, firstMs), ...told];
  }

  return {
    expected,
    *batches() {
      for (let group = 0; expected.events < events; group++) {
        const some: object[] = [];
        for (let i = 0; i < unitsAGroup && expected.events + some.length < events; i++) {
          some.push(...eventsOf(`${group}-${i}`));
        }
        expected.events += some.length;
        draw.shuffle(some);
        for (let from = 0; from < some.length; from += batchEvents) {
          yield some.slice(from, from + batchEvents);
        }
      }
    },
  };
}
