/** A started experiment with a guardrail on errors that allows no harm, for tests of alarms. */

import type { ExperimentRecord } from "../control/experiment.ts";
import { startedOf } from "./control-state.ts";

export function guardedExperiment(): ExperimentRecord {
  const record = startedOf();
  const [phase] = record.phases;
  if (phase === undefined) throw new Error("no phase");
  const errors = {
    key: "errors",
    type: "proportion",
    event: "error",
    aggregation: "any",
    windowMs: 3_600_000,
    role: "guardrail",
    direction: "decrease",
    maxRelativeHarm: 0,
  } as const;
  return { ...record, phases: [{ ...phase, metrics: [...phase.metrics, errors] }] };
}
