/**
 * Takes the step of an experiment's schedule that is due: start, more traffic, stop. Before more traffic the guardrails are read once more; one that alarms
 * pauses the experiment instead. A refusal (a layer that is full, say) is told, and tried again at the next tick.
 */

import type { StepMessage } from "../../contracts/analysis-message.ts";
import { advanceExperiment } from "../../control/change-experiment.ts";
import { currentPhase } from "../../control/experiment.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import { publishable } from "../../control/publishable.ts";
import { dueStep } from "../../control/schedule.ts";
import type { CellStore } from "../../stores/cell-store.ts";
import type { LedgerStore } from "../../stores/ledger-store.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import type { ScheduledExperiment } from "../../stores/scheduled-experiments.ts";
import type { WebhookStore } from "../../stores/webhook-store.ts";
import { guard, publishChanged } from "./guard.ts";
import type { GuardServices } from "./guard.ts";

export interface StepServices extends GuardServices {
  cells: Pick<CellStore, "readFigures">;
  ledger: Pick<LedgerStore, "unsettle">;
  webhooks: Pick<WebhookStore, "tell">;
}

const hourMs = 3_600_000;

export function planSteps(
  experiments: readonly ScheduledExperiment[],
  asOfMs: number,
): StepMessage[] {
  return experiments
    .filter((experiment) => dueStep(experiment, asOfMs) !== null)
    .map(({ environment, key }) => ({ v: 1, task: "step", environment, experiment: key, asOfMs }));
}

export async function takeStep(
  services: StepServices,
  { environment, experiment, asOfMs }: StepMessage,
): Promise<void> {
  const { definitions, ledger, newId, nowMs } = services;
  const found = await definitions.experiment(environment, experiment);
  if (found === null) return;
  const record = await guarded(services, { environment, record: found, asOfMs });
  const step = dueStep(record, asOfMs);
  if (step === null) return;
  const at = new Date(nowMs()).toISOString();
  const changed = await definitions.change(
    { environment, actor: "cron", auditId: newId(), at },
    (state) => {
      const decision = advanceExperiment(state, experiment, step, {
        at,
        salt: newId() + newId(),
        // What somebody has changed meanwhile is judged anew at the next tick.
        expected: [record.version],
      });
      return decision.ok ? publishable(state, decision.value) : decision;
    },
  );
  if (!changed.ok) {
    await tellRefusal(services, { environment, experiment }, changed.problem.detail);
    return;
  }
  if (step.action === "complete") await ledger.unsettle(environment, experiment);
  await publishChanged(services.publisher, environment);
}

async function guarded(
  services: StepServices,
  {
    environment,
    record,
    asOfMs,
  }: { environment: string; record: ExperimentRecord; asOfMs: number },
): Promise<ExperimentRecord> {
  const phase = currentPhase(record);
  if (phase === null || dueStep(record, asOfMs)?.action !== "ramp") return record;
  const shards = await services.cells.readFigures(environment, record.key, phase.phase);
  const { rows } = phaseFigures(shards, phase.phase);
  return await guard(services, { environment, record, phase }, { rows, asOfMs });
}

/** Once an hour and experiment. */
async function tellRefusal(
  { webhooks, newId, nowMs }: StepServices,
  { environment, experiment }: { environment: string; experiment: string },
  detail: string,
): Promise<void> {
  const now = nowMs();
  console.error(JSON.stringify({ event: "step-refused", environment, experiment, detail }));
  await webhooks.tell(environment, {
    id: newId(),
    key: `schedule/${experiment}/${Math.floor(now / hourMs)}`,
    kind: "cron.failing",
    at: new Date(now).toISOString(),
    experiment,
    summary: `A scheduled step of ${experiment} is refused: ${detail}`,
    data: { detail },
  });
}
