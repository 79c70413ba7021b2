/**
 * A counting plan made ready for folding: lookups instead of lists, and which phase an exposure belongs to.
 * What it answers depends on the plan and the event alone, never on what arrived before.
 */

import type {
  Aggregation,
  CountedExperiment,
  CountedMetric,
  CountedPhase,
  CountingPlan,
  ExposureEvent,
} from "./types.ts";

const dayMs = 24 * 3_600_000;

/** After a pause or a stop, what was assigned before is still being shown for a while. */
const stopToleranceMs = 120_000;

/** How long outcomes are kept beyond the window and the lookback that they may count in. */
const lateMarginMs = 8 * dayMs;

/** A window counts as closed only this much later, so that what is under way arrives. */
export const graceMs = 15 * 60_000;

export interface CompiledPlan {
  environment: string;
  version: number;
  outcomes: ReadonlySet<string>;
  experiments: ReadonlyMap<string, CompiledExperiment>;
  /** Every unit kind that some experiment randomises. */
  kinds: ReadonlySet<string>;
  /** An outcome this much older than its unit's newest event no longer matters to any phase. */
  outcomeAgeMs: number;
}

export interface CompiledExperiment extends Omit<CountedExperiment, "phases"> {
  /** Ascending. */
  phases: CompiledPhase[];
  /** Variants of any phase. */
  variants: ReadonlySet<string>;
  firstStartMs: number;
}

export interface CompiledPhase extends CountedPhase {
  readings: Reading[];
  /** The metrics that an outcome of that name feeds. */
  readers: ReadonlyMap<string, Reader[]>;
  lookbackMs: number;
  /** When the first of the metrics' windows closes; Infinity without metrics. */
  firstCloseMs: number;
}

export interface Reading extends CountedMetric {
  /** A unit's outcomes count in [opensMs, closesMs) after its first exposure. */
  opensMs: number;
  closesMs: number;
  lookbackMs: number;
}

export interface Reader {
  /** Index into the phase's readings. */
  reading: number;
  /** The metric (a ratio's numerator) or its denominator. */
  part: "y" | "d";
  aggregation: Aggregation;
}

/** How long after a unit's first exposure its outcomes still count: the window, or the end of the day of return. */
export function closesAfterMs(metric: CountedMetric): number {
  return metric.type === "retention" ? ((metric.returnDays ?? 1) + 1) * dayMs : metric.windowMs;
}

export function compilePlan(plan: CountingPlan): CompiledPlan {
  const experiments = plan.experiments.map(compileExperiment);
  const readings = experiments.flatMap((e) => e.phases.flatMap((phase) => phase.readings));
  const reachMs = readings.map((r) => r.closesMs + r.lookbackMs);
  return {
    environment: plan.environment,
    version: plan.version,
    outcomes: new Set(plan.outcomes),
    experiments: new Map(experiments.map((experiment) => [experiment.key, experiment])),
    kinds: new Set(plan.experiments.map((experiment) => experiment.unit)),
    outcomeAgeMs: lateMarginMs + reachMs.reduce((longest, each) => Math.max(longest, each), 0),
  };
}

function compileExperiment(experiment: CountedExperiment): CompiledExperiment {
  const phases = experiment.phases.map(compilePhase).sort((a, b) => a.phase - b.phase);
  const starts = phases.flatMap((phase) => phase.running.map(([startMs]) => startMs));
  return {
    ...experiment,
    phases,
    variants: new Set(phases.flatMap((phase) => phase.variants)),
    firstStartMs: starts.reduce((first, each) => Math.min(first, each), Infinity),
  };
}

function compilePhase(phase: CountedPhase): CompiledPhase {
  const readings = phase.metrics.map((metric) => ({
    ...metric,
    opensMs: metric.type === "retention" ? (metric.returnDays ?? 1) * dayMs : 0,
    closesMs: closesAfterMs(metric),
    lookbackMs: (metric.covariateLookbackDays ?? 0) * dayMs,
  }));
  const readers = new Map<string, Reader[]>();
  const read = (event: string, reader: Reader) =>
    readers.set(event, [...(readers.get(event) ?? []), reader]);
  readings.forEach((metric, reading) => {
    const { type, event, denominator } = metric;
    const isYesOrNo = type === "proportion" || type === "retention";
    read(event, { reading, part: "y", aggregation: isYesOrNo ? "any" : metric.aggregation });
    if (denominator) {
      read(denominator.event, { reading, part: "d", aggregation: denominator.aggregation });
    }
  });
  return {
    ...phase,
    readings,
    readers,
    lookbackMs: readings.reduce((longest, each) => Math.max(longest, each.lookbackMs), 0),
    firstCloseMs: readings.reduce((first, each) => Math.min(first, each.closesMs), Infinity),
  };
}

/**
 * The phase that an exposure belongs to: one that has its variant and ran at its time (or had stopped just before),
 * the one that it names if it names one. An import from before the start belongs to the first phase. Null: outside every phase.
 */
export function phaseOf(
  experiment: CompiledExperiment,
  exposure: Pick<ExposureEvent, "phase" | "variant" | "timeMs" | "source">,
): CompiledPhase | null {
  const { timeMs } = exposure;
  let justStopped: CompiledPhase | null = null;
  for (const phase of experiment.phases) {
    if (exposure.phase !== undefined && exposure.phase !== phase.phase) continue;
    if (!phase.variants.includes(exposure.variant)) continue;
    for (const [startMs, endMs] of phase.running) {
      if (timeMs < startMs) continue;
      if (endMs === null || timeMs < endMs) return phase;
      if (timeMs < endMs + stopToleranceMs) justStopped = phase;
    }
    const isFirst = phase === experiment.phases[0];
    if (isFirst && exposure.source === "import" && timeMs < experiment.firstStartMs) return phase;
  }
  return justStopped;
}
