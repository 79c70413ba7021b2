/** A guardrail's alarm becomes part of the phase, and a running experiment is paused as by a person. Pure; decided on the newest state. */

import type { Breach } from "../contracts/phase.ts";
import { ok, refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";
import { currentPhase, isStarted } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { withPhase } from "./lifecycle.ts";

export interface Harm {
  experiment: string;
  phase: number;
  breaches: readonly Breach[];
  /** Names the numbers; for the audit log. */
  reason: string;
  /** Event ids, one a breach. */
  eventIds: readonly string[];
}

/** Refuses when another analysis was faster, or when nothing is left to pause. */
export function pauseForHarm(
  state: EnvironmentState,
  { experiment, phase, breaches, reason, eventIds }: Harm,
  { at, nowMs }: { at: string; nowMs: number },
): Result<Decision<ExperimentRecord>> {
  const before = state.experiments.find(({ key }) => key === experiment);
  const current = before === undefined ? null : currentPhase(before);
  if (before === undefined || current === null || current.phase !== phase || !isStarted(before)) {
    return refuse("not-possible", `${experiment} is not in phase ${phase} any more.`);
  }
  const known = current.breaches ?? [];
  const isKnown = (breach: Breach) =>
    known.some(
      ({ metric, variant, watchesFromMs }) =>
        metric === breach.metric &&
        variant === breach.variant &&
        watchesFromMs > breach.evidence.watchedFromMs,
    );
  const added = breaches.filter((breach) => !isKnown(breach));
  if (added.length === 0) return refuse("conflict", `${experiment} has these alarms already.`);
  const stopped = withPhase(before, "paused", (each) => ({
    ...each,
    running: each.running.map(([from, to]): [number, number] => [from, to ?? nowMs]),
    breaches: [...known, ...added],
  }));
  const record = { ...stopped, version: before.version + 1, updatedAt: at };
  return ok({
    action: before.status === "running" ? "pause" : "alarm",
    reason,
    writes: [{ entity: "experiment", record }],
    notices: added.map((breach, index) => ({
      id: eventIds[index] ?? "",
      key: `breach/${experiment}/${phase}/${breach.metric}/${breach.variant}/${breach.evidence.watchedFromMs}`,
      kind: "guardrail.breached",
      at,
      experiment,
      summary: reason,
      data: { phase, ...breach, paused: true },
    })),
    value: record,
  });
}

/** Whether it was a guardrail that paused it, or one alarmed since: then resuming overrules it. */
export function hasUnansweredAlarm(record: ExperimentRecord): boolean {
  const phase = currentPhase(record);
  const stoppedMs = phase?.running.at(-1)?.[1] ?? null;
  return (
    record.status === "paused" &&
    stoppedMs !== null &&
    (phase?.breaches ?? []).some(({ recordedAtMs }) => recordedAtMs >= stoppedMs)
  );
}
