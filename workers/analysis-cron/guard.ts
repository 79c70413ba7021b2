/**
 * Pauses an experiment whose guardrail alarms, by the way that a person's pause takes: status, audit entry, publication.
 * Recorded and paused in one transaction; an alarm that another analysis has recorded meanwhile is left to it.
 */

import { breachSentence, guardrailAlarms } from "../../analysis/guardrails.ts";
import type { Phase } from "../../contracts/phase.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import { isStarted } from "../../control/experiment.ts";
import { pauseForHarm } from "../../control/pause-for-harm.ts";
import type { CohortRows } from "../../counting/aggregate.ts";
import type { DefinitionStore } from "../../stores/definition-store.ts";
import type { Publisher } from "../../stores/publisher.ts";

export interface GuardServices {
  definitions: Pick<DefinitionStore, "experiment" | "change">;
  publisher: Pick<Publisher, "publish">;
  newId: () => string;
  nowMs: () => number;
}

/** The experiment as it is afterwards. */
export async function guard(
  { definitions, publisher, newId, nowMs }: GuardServices,
  { environment, record, phase }: { environment: string; record: ExperimentRecord; phase: Phase },
  { rows, asOfMs }: { rows: CohortRows; asOfMs: number },
): Promise<ExperimentRecord> {
  if (!isStarted(record)) return record;
  const recordedAtMs = nowMs();
  const breaches = guardrailAlarms(phase, rows, { asOfMs, nowMs: recordedAtMs });
  if (breaches.length === 0) return record;
  const at = new Date(recordedAtMs).toISOString();
  const reason = breaches.map(breachSentence).join(" ");
  const eventIds = breaches.map(newId);
  const harm = { experiment: record.key, phase: phase.phase, breaches, reason, eventIds };
  const changed = await definitions.change(
    { environment, actor: "cron", auditId: newId(), at },
    (state) => pauseForHarm(state, harm, { at, nowMs: recordedAtMs }),
  );
  if (!changed.ok) {
    if (changed.problem.code === "unavailable") throw new Error(changed.problem.detail);
    return (await definitions.experiment(environment, record.key)) ?? record;
  }
  console.log(
    JSON.stringify({ event: "guardrail-alarm", environment, experiment: record.key, reason }),
  );
  await publishChanged(publisher, environment);
  return changed.value;
}

/** What fails is published by the cron's next tick. */
export async function publishChanged(
  publisher: Pick<Publisher, "publish">,
  environment: string,
): Promise<void> {
  try {
    await publisher.publish(environment);
  } catch (error) {
    console.error(JSON.stringify({ event: "publish-failed", environment, error: String(error) }));
  }
}
