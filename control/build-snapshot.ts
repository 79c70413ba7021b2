/** From the definitions of an environment to what is published: the snapshot that evaluates and the plan that counts. */

import type { Experiment, Snapshot } from "../core/index.ts";
import type { CountedExperiment, CountingPlan } from "../counting/types.ts";
import { inForce } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { currentPhase } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";

export function buildSnapshot(state: EnvironmentState): Snapshot {
  return {
    formatVersion: 1,
    environment: state.id,
    version: state.version,
    flags: inForce(state.flags).map(({ body }) => body),
    experiments: state.experiments.flatMap(assigning),
    holdouts: inForce(state.holdouts).map(({ body: { key, salt, unit, basisPoints, layer } }) => ({
      key,
      salt,
      unit,
      basisPoints,
      layer,
    })),
    segments: inForce(state.segments).map(({ body: { key, values } }) => ({ key, values })),
  };
}

/** Only running experiments assign; a rule that names another falls through. */
function assigning(record: ExperimentRecord): Experiment[] {
  const phase = currentPhase(record);
  if (record.status !== "running" || phase === null) return [];
  const stop = record.body.schedule?.stop;
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
      // Everywhere at once, before anybody has published that it is over.
      ...(stop !== undefined && { endAt: Date.parse(stop) }),
    },
  ];
}

export function buildCountingPlan(state: EnvironmentState): CountingPlan {
  const experiments = state.experiments.flatMap(counted);
  const outcomes = new Set<string>();
  for (const { event, denominator } of [
    ...inForce(state.metrics).map(({ body }) => body),
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
          ({
            role: _role,
            direction: _direction,
            maxRelativeHarm: _harm,
            addedAtMs: _added,
            ...metric
          }) => metric,
        ),
      })),
    },
  ];
}
