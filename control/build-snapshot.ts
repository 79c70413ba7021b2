/** From the definitions of an environment to what is published: the snapshot that evaluates and the plan that counts. */

import type { Experiment, Flag, Snapshot } from "../core/index.ts";
import type { CountedExperiment, CountingPlan } from "../counting/types.ts";
import type { MetricBody } from "../contracts/metric.ts";
import { currentPhase } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";

/** One consistent reading of an environment. */
export interface EnvironmentState {
  id: string;
  version: number;
  flags: Flag[];
  metrics: MetricBody[];
  experiments: ExperimentRecord[];
}

export function buildSnapshot(state: EnvironmentState): Snapshot {
  return {
    formatVersion: 1,
    environment: state.id,
    version: state.version,
    flags: state.flags,
    experiments: state.experiments.flatMap(assigning),
    holdouts: [],
    segments: [],
  };
}

/** Only running experiments assign; a rule that names another falls through. */
function assigning(record: ExperimentRecord): Experiment[] {
  const phase = currentPhase(record);
  if (record.status !== "running" || phase === null) return [];
  return [
    {
      key: record.key,
      hashVersion: 1,
      phase: phase.phase,
      salt: phase.salt,
      unit: phase.unit,
      control: phase.control,
      variants: phase.variants,
      ...(phase.targeting && { targeting: phase.targeting }),
      layer: phase.layer,
      layerSalt: phase.layerSalt,
      slots: phase.slots,
      dimensions: phase.dimensions,
    },
  ];
}

export function buildCountingPlan(state: EnvironmentState): CountingPlan {
  const experiments = state.experiments.flatMap(counted);
  const outcomes = new Set<string>();
  for (const { event, denominator } of [
    ...state.metrics,
    ...experiments.flatMap(({ phases }) => phases.flatMap(({ metrics }) => metrics)),
  ]) {
    outcomes.add(event);
    if (denominator) outcomes.add(denominator.event);
  }
  return {
    formatVersion: 1,
    environment: state.id,
    version: state.version,
    outcomes: [...outcomes],
    experiments,
  };
}

function counted(record: ExperimentRecord): CountedExperiment[] {
  const phase = currentPhase(record);
  if (phase === null || record.status === "archived") return [];
  return [
    {
      key: record.key,
      unit: phase.unit,
      dimensions: phase.dimensions,
      phases: record.phases.map(({ phase, variants, running, excludesEarlierPhases, metrics }) => ({
        phase,
        variants: variants.map(({ variant }) => variant),
        running,
        excludesEarlierPhases,
        metrics: metrics.map(
          ({ role: _role, direction: _direction, maxRelativeHarm: _harm, ...metric }) => metric,
        ),
      })),
    },
  ];
}
