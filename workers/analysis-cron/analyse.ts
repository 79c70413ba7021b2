/**
 * Refreshes one experiment: reads its cells, pauses it when a guardrail alarms, takes the look that is due, and stores the answer.
 * Safe to run twice, and at the same time as another.
 */

import * as z from "zod/mini";
import { lookNotices, mismatchNotices } from "../../analysis/notices.ts";
import { alarmLogEvidence } from "../../analysis/sample-ratio.ts";
import { dueLook, refreshed } from "../../analysis/refresh.ts";
import type { RefreshInputs } from "../../analysis/refresh.ts";
import type { RefreshMessage } from "../../contracts/analysis-message.ts";
import { withCountedMetrics } from "../../control/counted-metrics.ts";
import { currentPhase } from "../../control/experiment.ts";
import { closesAfterMs, graceMs } from "../../counting/plan.ts";
import type { LedgerStore, Refresh } from "../../stores/ledger-store.ts";
import type { CellStore } from "../../stores/cell-store.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import { guard } from "./guard.ts";
import type { GuardServices } from "./guard.ts";

export interface Services extends GuardServices {
  ledger: LedgerStore;
  cells: CellStore;
}

const hourMs = 3_600_000;

/** What is read back of an earlier answer. */
const earlierAnswer = z.object({
  phase: z.number(),
  sampleRatio: z.object({ logEvidence: z.number() }),
});

export async function analyse(
  services: Services,
  { environment, experiment, asOfMs }: RefreshMessage,
): Promise<void> {
  const { definitions, ledger, cells } = services;
  const found = await definitions.experiment(environment, experiment);
  const running = found === null ? null : currentPhase(found);
  if (found === null || running === null) return;
  const of = { environment, experiment, phase: running.phase };
  const before = await ledger.refresh(environment, experiment);

  const shards = await cells.readFigures(environment, experiment, running.phase);
  const figures = phaseFigures(shards, running.phase);
  const { rows } = figures;
  const record = await guard(
    services,
    { environment, record: found, phase: running },
    { rows, asOfMs },
  );
  const current = currentPhase(record);
  if (current?.phase !== running.phase) return;
  const rebuilt = shards.map(({ rebuiltAtMs }) => rebuiltAtMs);
  const phase = withCountedMetrics(current, rebuilt);
  const inputs: RefreshInputs = {
    record,
    phase,
    figures,
    asOfMs,
    ledger: await ledger.looks(of),
    logEvidenceBefore: logEvidenceOf(before, phase.phase),
  };
  const look = dueLook({ ...inputs, recordedAtMs: services.nowMs() });
  const about = { experiment, phase, asOfMs, newId: services.newId };
  const told = lookNotices(about, look, [...inputs.ledger, ...look]);
  if (look.length > 0 && !(await ledger.append(of, look, { notices: told }))) {
    console.log(JSON.stringify({ event: "look-taken-by-another", ...of }));
  }
  const answer = refreshed({ ...inputs, ledger: await ledger.looks(of) });
  const longestWindowMs = Math.max(...phase.metrics.map(closesAfterMs));
  const lastEventMs = figures.lastEventMs ?? 0;
  const wasMismatched = inputs.logEvidenceBefore >= alarmLogEvidence;
  const refresh = {
    environment,
    experiment,
    asOfMs,
    activity: shards.map(({ activity }) => activity?.version ?? 0),
    settlesAtMs: lastEventMs + longestWindowMs + graceMs + hourMs,
    body: JSON.stringify(answer),
  };
  await ledger.save(refresh, wasMismatched ? [] : mismatchNotices(about, answer.sampleRatio));
}

function logEvidenceOf(before: Refresh | null, phase: number): number {
  if (before === null) return 0;
  const answer = z.parse(earlierAnswer, JSON.parse(before.body));
  return answer.phase === phase ? answer.sampleRatio.logEvidence : 0;
}
