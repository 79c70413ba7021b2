/** An experiment of two phases on a checkout, and events of its units: what the tests of counting/ are told in. */

import type {
  CountedEvent,
  CountedMetric,
  CountingPlan,
  ExposureEvent,
} from "../counting/types.ts";
import { foldedShard } from "./folded-shard.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
/** Midnight, 2026-01-05. */
export const start = Date.UTC(2026, 0, 5);
export const startHour = start / hour;

export const purchased: CountedMetric = {
  key: "purchased",
  type: "proportion",
  event: "purchase",
  aggregation: "any",
  windowMs: 72 * hour,
};

interface Given {
  metrics?: CountedMetric[];
  dimensions?: string[];
  running?: [number, number | null][];
}

export function planOf({
  metrics = [purchased],
  dimensions = [],
  running,
}: Given = {}): CountingPlan {
  const variants = ["control", "one_page"];
  return {
    formatVersion: 1,
    environment: "e",
    version: 1,
    outcomes: ["purchase", "view"],
    experiments: [
      {
        key: "checkout",
        unit: "user",
        dimensions,
        phases: [
          {
            phase: 1,
            variants,
            running: running ?? [[start, start + 10 * day]],
            excludesEarlierPhases: false,
            metrics,
          },
          {
            phase: 2,
            variants,
            running: [[start + 10 * day, null]],
            excludesEarlierPhases: true,
            metrics,
          },
        ],
      },
    ],
  };
}

/** Exposed to the control at the start unless it says otherwise. */
export function exposed(rest: Partial<ExposureEvent> = {}): ExposureEvent {
  return {
    type: "exposure",
    experiment: "checkout",
    variant: "control",
    kind: "user",
    unit: "u1",
    timeMs: start,
    source: "server",
    ...rest,
  };
}

let ids = 0;
export function bought(timeMs: number, value?: number, rest: object = {}): CountedEvent {
  return {
    type: "outcome",
    id: `o${ids++}`,
    name: "purchase",
    kind: "user",
    unit: "u1",
    ...(value !== undefined && { value }),
    timeMs,
    source: "server",
    ...rest,
  };
}

/** One consumer batch a list, received as soon as its newest event happened. `origins`: the populations by how their exposures came. */
export function counted(plan: CountingPlan, ...batches: CountedEvent[][]) {
  const shard = foldedShard();
  for (const events of batches) {
    const receivedAtMs = Math.max(...events.map(({ timeMs }) => timeMs));
    shard.receive([plan], [{ environment: "e", receivedAtMs, events }]);
  }
  const { populations, cells, tallies } = shard.counted;
  const origins = Map.groupBy(populations, ([key]) => /"(source|sdk)",/.test(key));
  return {
    populations: named(new Map(origins.get(false))),
    origins: named(new Map(origins.get(true))),
    cells: named(cells),
    tallies: named(tallies),
  };
}

/** Rows by what comes after environment and experiment, in words. */
function named<T>(rows: ReadonlyMap<string, T>): { [row: string]: T } {
  const name = (key: string) => {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) ? parts.slice(2).join(" ") : key;
  };
  return Object.fromEntries([...rows].map(([key, row]) => [name(key), row]));
}

export const cellAt = (variant: string, cohort = startHour, metric = "purchased") =>
  `1 ${metric} ${variant}   ${cohort}`;
export const populationAt = (variant: string, cohort = startHour) => `1 ${variant}   ${cohort}`;
/** The sums of one unit that did it: y, yy, d, dd, yd, x, xx, xy. */
export const once = [1, 1, 0, 0, 0, 0, 0, 0];
