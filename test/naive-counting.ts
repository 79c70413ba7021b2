/**
 * Counting done the slow and obvious way: keep every event, sort, apply the rules, count.
 * It shares nothing with counting/ but the nouns, so that the two can be held against each other.
 */

import type { Counted } from "./folded-shard.ts";
import { hash32 } from "../core/index.ts";
import type { Json } from "../core/index.ts";
import type {
  Aggregation,
  CountedExperiment,
  CountedMetric,
  CountedPhase,
  CountingPlan,
  ExposureEvent,
  OutcomeEvent,
  CountedEvent,
} from "../counting/types.ts";

export interface Received {
  environment: string;
  receivedAtMs: number;
  events: readonly CountedEvent[];
}

type Arrived<E> = E & { delayMinutes: number };

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `stream` in the order of arrival: of outcomes with one id in one unit the first wins. */
export function countNaively(plans: readonly CountingPlan[], stream: readonly Received[]): Counted {
  const counted: Counted = { populations: new Map(), cells: new Map(), tallies: new Map() };
  for (const plan of plans) {
    const arrived = stream
      .filter(({ environment }) => environment === plan.environment)
      .flatMap(({ events, receivedAtMs }) =>
        events.map((event) => ({ ...event, delayMinutes: delayOf(event, receivedAtMs) })),
      );
    const units = Map.groupBy(arrived, ({ kind, unit }) => JSON.stringify([kind, unit]));
    const kept = keptValues(plan, arrived);
    for (const events of units.values()) countUnit(plan, events, kept, counted);
  }
  for (const rows of [counted.populations, counted.tallies]) {
    for (const [key, n] of rows) if (n === 0) rows.delete(key);
  }
  for (const [key, sums] of counted.cells) {
    if (sums.every((sum) => sum === 0)) counted.cells.delete(key);
  }
  return counted;
}

type Kept = Map<CountedPhase, Map<string, Set<string>>>;

/** Of all values that exposures to a phase named in a dimension, the 250 with the lowest hashes. */
function keptValues(plan: CountingPlan, events: readonly CountedEvent[]): Kept {
  const named: Kept = new Map();
  for (const event of events) {
    if (event.type !== "exposure") continue;
    const [experiment, phase] = naivePlace(plan, event);
    if (!experiment || !phase) continue;
    const byDimension = named.get(phase) ?? new Map<string, Set<string>>();
    named.set(phase, byDimension);
    for (const [name, value] of placesOf(experiment, event)) {
      const values = byDimension.get(name) ?? new Set();
      byDimension.set(name, values.add(value));
    }
  }
  for (const byDimension of named.values()) {
    for (const [name, values] of byDimension) {
      const others = [...values].filter((value) => value !== "unknown" && value !== "other");
      const lowest = others.sort((a, b) => hash32(a) - hash32(b) || (a < b ? -1 : 1));
      byDimension.set(name, new Set([...lowest.slice(0, 250), "unknown", "other"]));
    }
  }
  return named;
}

function naivePlace(plan: CountingPlan, event: ExposureEvent) {
  const experiment = plan.experiments.find(({ key }) => key === event.experiment);
  const phase = experiment?.unit === event.kind ? naivePhase(experiment, event) : undefined;
  return [experiment, phase] as const;
}

function delayOf(event: CountedEvent, receivedAtMs: number): number {
  if (event.source === "import") return 0;
  return Math.max(0, Math.floor((receivedAtMs - event.timeMs) / minute));
}

function countUnit(
  plan: CountingPlan,
  events: Arrived<CountedEvent>[],
  kept: Kept,
  counted: Counted,
): void {
  const outcomes: Arrived<OutcomeEvent>[] = [];
  const byPhase = new Map<CountedPhase, Arrived<ExposureEvent>[]>();
  const outside = new Set<string>();
  for (const event of events) {
    if (event.type === "outcome") {
      const isRead = plan.outcomes.includes(event.name);
      if (isRead && !outcomes.some(({ id }) => id === event.id)) outcomes.push(event);
      continue;
    }
    const [, phase] = naivePlace(plan, event);
    if (phase) byPhase.set(phase, [...(byPhase.get(phase) ?? []), event]);
    else outside.add(event.experiment);
  }
  for (const experiment of outside) {
    add(counted.tallies, [plan.environment, experiment, 0, "outside-phase", ""], 1);
  }
  for (const [phase, exposures] of byPhase) {
    const experiment = plan.experiments.find(({ phases }) => phases.includes(phase));
    if (!experiment) continue;
    const at = [plan.environment, experiment.key, phase.phase];
    const variants = [...new Set(exposures.map(({ variant }) => variant))].sort();
    const metEarlier = experiment.phases.some(
      (other) => other.phase < phase.phase && byPhase.has(other),
    );
    if (exposures.some(({ bot }) => bot)) {
      add(counted.tallies, [...at, "bot", ""], 1);
    } else if (phase.excludesEarlierPhases && metEarlier) {
      add(counted.tallies, [...at, "earlier-phase", ""], 1);
    } else if (variants.length > 1) {
      add(counted.tallies, [...at, "quarantined", variants.slice(0, 2).join("|")], 1);
    } else {
      countExposed(at, { experiment, phase, kept }, exposures, outcomes, counted);
    }
  }
}

function naivePhase(
  experiment: CountedExperiment,
  { phase, variant, timeMs, source }: ExposureEvent,
): CountedPhase | undefined {
  const possible = experiment.phases.filter(
    (each) => (phase === undefined || each.phase === phase) && each.variants.includes(variant),
  );
  const ran = (toleranceMs: number) => (each: CountedPhase) =>
    each.running.some(
      ([start, end]) => timeMs >= start && timeMs < (end ?? Infinity) + toleranceMs,
    );
  const start = experiment.phases[0]?.running[0]?.[0] ?? Infinity;
  const imported =
    source === "import" && timeMs < start
      ? possible.find((each) => each === experiment.phases[0])
      : undefined;
  return possible.find(ran(0)) ?? possible.findLast(ran(2 * minute)) ?? imported;
}

function countExposed(
  at: (string | number)[],
  { experiment, phase, kept }: { experiment: CountedExperiment; phase: CountedPhase; kept: Kept },
  exposures: Arrived<ExposureEvent>[],
  outcomes: Arrived<OutcomeEvent>[],
  counted: Counted,
): void {
  const values = (exposure: ExposureEvent) =>
    placesOf(experiment, exposure).map(([, value]) => value);
  const [first] = exposures.toSorted(
    (a, b) =>
      a.timeMs - b.timeMs || (JSON.stringify(values(a)) < JSON.stringify(values(b)) ? -1 : 1),
  );
  if (!first) return;
  const cohort = Math.floor(first.timeMs / hour);
  const closed = (metric: CountedMetric) => (cohort + 1) * hour + windowOf(metric)[1] + 15 * minute;
  const isLate = (event: Arrived<CountedEvent>, metric: CountedMetric) =>
    event.timeMs + event.delayMinutes * minute >= closed(metric);
  const shown = (name: string, value = "") =>
    kept.get(phase)?.get(name)?.has(value) === true ? value : "other";
  const dimensions = placesOf(experiment, first).map(([name, value]) => [name, shown(name, value)]);
  const places = [["", ""], ...dimensions.slice(0, experiment.dimensions.length)];

  for (const place of [["", ""], ...dimensions]) {
    add(counted.populations, [...at, first.variant, ...place, cohort], 1);
  }
  const late = new Set<unknown>(phase.metrics.some((m) => isLate(first, m)) ? [first] : []);
  for (const metric of phase.metrics) {
    const within = (event: string | undefined, from: number, to: number) =>
      outcomes.filter(
        ({ name, timeMs }) =>
          name === event && timeMs - first.timeMs >= from && timeMs - first.timeMs < to,
      );
    const [opens, closes] = windowOf(metric);
    const numerator = within(metric.event, opens, closes);
    const denominator = within(metric.denominator?.event, opens, closes);
    const before = within(metric.event, -(metric.covariateLookbackDays ?? 0) * day, 0);
    for (const outcome of [...numerator, ...denominator, ...before]) {
      if (isLate(outcome, metric)) late.add(outcome);
    }
    const cap = metric.cap ?? Infinity;
    const aggregation =
      metric.type === "proportion" || metric.type === "retention" ? "any" : metric.aggregation;
    const y = Math.min(cap, total(aggregation, numerator));
    const x = Math.min(cap, total(aggregation, before));
    const d = metric.denominator ? total(metric.denominator.aggregation, denominator) : 0;
    for (const place of places) {
      const key = JSON.stringify([...at, metric.key, first.variant, ...place, cohort]);
      const sums = counted.cells.get(key) ?? [0, 0, 0, 0, 0, 0, 0, 0];
      const own = [y, y * y, d, d * d, y * d, x, x * x, x * y];
      counted.cells.set(
        key,
        sums.map((sum, i) => sum + (own[i] ?? 0)),
      );
    }
  }
  add(counted.tallies, [...at, "late", ""], late.size);
}

function windowOf(metric: CountedMetric): [number, number] {
  if (metric.type !== "retention") return [0, metric.windowMs];
  const from = (metric.returnDays ?? 1) * day;
  return [from, from + day];
}

function total(aggregation: Aggregation, outcomes: readonly OutcomeEvent[]): number {
  const values = outcomes.map(({ value }) => value ?? 1);
  if (values.length === 0) return 0;
  if (aggregation === "any") return 1;
  if (aggregation === "count") return values.length;
  return aggregation === "max" ? Math.max(...values) : values.reduce((a, b) => a + b);
}

/** Attributes, then where it came from. */
function placesOf(
  { dimensions }: CountedExperiment,
  { attributes, source, sdk }: ExposureEvent,
): [name: string, value: string][] {
  return [
    ...dimensions.map((name): [string, string] => [name, naiveValue(attributes?.[name])]),
    ["source", naiveValue(source)],
    ["sdk", naiveValue(sdk)],
  ];
}

function naiveValue(attribute: Json | undefined): string {
  if (attribute === undefined || attribute === null || attribute === "") return "unknown";
  return typeof attribute === "object" ? "unknown" : String(attribute).slice(0, 100);
}

function add(rows: Map<string, number>, key: unknown[], n: number): void {
  const text = JSON.stringify(key);
  rows.set(text, (rows.get(text) ?? 0) + n);
}
