/** What `bench/events.ts` sends, and what must be in the cells at the end: counted beside, a typed array a figure, by the rules alone. */
import type { CountedMetric, CountingPlan } from "../counting/types.ts";
import { shardOf } from "../counting/unit.ts";
import { seeded } from "./stats-random.ts";

export const environment = "0197f0c1-7c3e-7000-8000-000000000001";
/** As configured for the ingest worker. */
export const shards = 4;
const hourMs = 3_600_000;
/** An intake takes as many a request. */
const batchEvents = 1_000;

const reading = (key: string, event: string, more: Partial<CountedMetric>): CountedMetric => ({
  key,
  event,
  type: "mean",
  aggregation: "sum",
  windowMs: 72 * hourMs,
  ...more,
});

/** Every outcome feeds one metric of one experiment. */
const oneMetric = [reading("purchased", "purchase", { type: "proportion", aggregation: "any" })];

/** Every outcome feeds two of them: a purchase the first and the last, a page view the second and the last, an error the others. */
const fiveMetrics = [
  reading("purchased", "purchase", { type: "proportion", aggregation: "any" }),
  reading("page_views", "page_view", { aggregation: "count" }),
  reading("had_error", "error", { type: "proportion", aggregation: "any" }),
  reading("errors", "error", { aggregation: "count" }),
  reading("revenue_per_view", "purchase", {
    type: "ratio",
    denominator: { event: "page_view", aggregation: "count" },
  }),
];

const shapes = {
  "1 × 1": { experiments: ["checkout_redesign"], metrics: oneMetric, events: ["purchase"] },
  "3 × 5": {
    experiments: ["checkout_redesign", "search_ranking", "welcome_banner"],
    metrics: fiveMetrics,
    events: ["purchase", "page_view", "error"],
  },
};

export type Shape = keyof typeof shapes;

const variants = ["control", "treatment"];
const countries = ["US", "CA", "DE", "FR", "BR"];
const devices = ["mobile", "desktop"];
const platforms = ["ios", "android", "web"];

export interface Requests {
  bodies: Iterable<string>;
  events: number;
}

/** One row of cells, summed over cohorts and shards. */
export interface CellTotal {
  experiment: string;
  metric: string;
  variant: string;
  n: number;
  y: number;
  yy: number;
  d: number;
}

export class Workload {
  readonly plan: CountingPlan;
  readonly #shape: (typeof shapes)[Shape];
  readonly #startMs = Date.now();
  readonly #random = seeded(1).uniform;
  /** By event name: how many each unit had, and their sum. */
  readonly #counts: Uint16Array[];
  readonly #sums: Float64Array[];
  /** Their numbers; null: all. */
  readonly #units: Int32Array | null;
  #exposed = 0;
  #outcomes = 0;

  /** With `oneShard` only units of shard 0: then messages and batches are as large as they get. */
  constructor(shape: Shape, maxUnits: number, { oneShard = false } = {}) {
    this.#shape = shapes[shape];
    this.#units = oneShard ? unitsOfShard0(maxUnits) : null;
    const { experiments, metrics, events } = this.#shape;
    this.#counts = events.map(() => new Uint16Array(maxUnits));
    this.#sums = events.map(() => new Float64Array(maxUnits));
    this.plan = {
      formatVersion: 1,
      environment,
      version: 1,
      outcomes: events,
      experiments: experiments.map((key) => ({
        key,
        unit: "targetingKey",
        dimensions: ["country", "device", "platform"],
        phases: [
          {
            phase: 1,
            variants,
            running: [[this.#startMs - 24 * hourMs, null]],
            excludesEarlierPhases: false,
            metrics,
          },
        ],
      })),
    };
  }

  get exposed(): number {
    return this.#exposed;
  }

  /** Of units that were not exposed before, to every experiment at once, within the hour before the bench began. */
  exposures(units: number): Requests {
    const from = this.#exposed;
    this.#exposed += units;
    const { experiments } = this.#shape;
    return {
      bodies: bodies(this.#exposuresOf(from, from + units)),
      events: units * experiments.length,
    };
  }

  *#exposuresOf(from: number, to: number): Generator<string> {
    for (let unit = from; unit < to; unit++) {
      const time = new Date(this.#startMs - ((unit * 7_919) % hourMs)).toISOString();
      const attributes = `{"country":"${countries[unit % 5]}","device":"${devices[unit % 2]}","platform":"${platforms[unit % 3]}"}`;
      for (const [i, experiment] of this.#shape.experiments.entries()) {
        yield `{"type":"exposure","experiment":"${experiment}","phase":1,"variant":"${variantOf(unit, i)}","unit":"${this.#nameOf(unit)}","timestamp":"${time}","attributes":${attributes}}`;
      }
    }
  }

  /** Of any exposed units, with values in quarters, which add up exactly in any order. */
  outcomes(events: number): Requests {
    return { bodies: bodies(this.#outcomesOf(events)), events };
  }

  *#outcomesOf(events: number): Generator<string> {
    const names = this.#shape.events;
    for (let i = 0; i < events; i++) {
      const unit = Math.floor(this.#random() * this.#exposed);
      const event = Math.floor(this.#random() * names.length);
      const value = 1 + Math.floor(this.#random() * 400) / 4;
      const [counts, sums] = [this.#counts[event], this.#sums[event]];
      if (!counts || !sums) continue;
      counts[unit] = (counts[unit] ?? 0) + 1;
      sums[unit] = (sums[unit] ?? 0) + value;
      yield `{"type":"outcome","id":"${idOf(this.#outcomes++)}","name":"${names[event]}","unit":"${this.#nameOf(unit)}","value":${value},"timestamp":"${new Date().toISOString()}"}`;
    }
  }

  /** Of one unit, as of a client that sends in a loop. It ends in no cell: nothing of it is expected. */
  hotOutcomes(events: number): Requests {
    return { bodies: bodies(this.#hotOutcomesOf(events)), events };
  }

  *#hotOutcomesOf(events: number): Generator<string> {
    const [name] = this.#shape.events;
    for (let i = 0; i < events; i++) {
      yield `{"type":"outcome","id":"${idOf(this.#outcomes++)}","name":"${name}","unit":"in-a-loop","timestamp":"${new Date().toISOString()}"}`;
    }
  }

  #nameOf(unit: number): string {
    return nameOf(this.#units?.[unit] ?? unit);
  }

  /** What the cells of all units must hold now. */
  totals(): CellTotal[] {
    const { experiments, metrics, events } = this.#shape;
    return experiments.flatMap((experiment, i) =>
      metrics.flatMap((metric) => {
        const of = (name = "", aggregation = "") => {
          const at = events.indexOf(name);
          const [counts, sums] = [this.#counts[at], this.#sums[at]];
          return (unit: number) => {
            if (aggregation === "any") return Math.min(1, counts?.[unit] ?? 0);
            return (aggregation === "count" ? counts?.[unit] : sums?.[unit]) ?? 0;
          };
        };
        const y = of(metric.event, metric.aggregation);
        const d = of(metric.denominator?.event, metric.denominator?.aggregation);
        return variants.map((variant) => {
          const total = { experiment, metric: metric.key, variant, n: 0, y: 0, yy: 0, d: 0 };
          for (let unit = 0; unit < this.#exposed; unit++) {
            if (variantOf(unit, i) !== variant) continue;
            total.n += 1;
            total.y += y(unit);
            total.yy += y(unit) ** 2;
            total.d += d(unit);
          }
          return total;
        });
      }),
    );
  }
}

function unitsOfShard0(count: number): Int32Array {
  const units = new Int32Array(count);
  let number = 0;
  for (let i = 0; i < count; number++) {
    const unit = { kind: "targetingKey", unit: nameOf(number) };
    if (shardOf(environment, unit, shards) === 0) units[i++] = number;
  }
  return units;
}

const nameOf = (unit: number) => `visitor-${unit}`;

function variantOf(unit: number, experiment: number): string {
  return variants[(unit >> experiment) & 1] ?? "";
}

/** As long as the UUIDs that most clients take. */
function idOf(outcome: number): string {
  return `0197f0c1-7c3e-7000-8000-${outcome.toString(16).padStart(12, "0")}`;
}

function* bodies(events: Iterable<string>): Generator<string> {
  let some: string[] = [];
  const body = () => `{"events":[${some.join(",")}]}`;
  for (const event of events) {
    some.push(event);
    if (some.length < batchEvents) continue;
    yield body();
    some = [];
  }
  if (some.length > 0) yield body();
}
