/**
 * Refreshes experiments: reads their cells, pauses those whose guardrail alarms, takes the looks that are due, and stores the answers. Read and stored
 * together, judged one by one, so that one that fails holds up no other. Safe to run twice, and at the same time as another.
 */

import { lookNotices, mismatchNotices } from "../../analysis/notices.ts";
import { alarmLogEvidence } from "../../analysis/sample-ratio.ts";
import { dueLook, refreshed } from "../../analysis/refresh.ts";
import type { RefreshInputs } from "../../analysis/refresh.ts";
import type { LedgerRow } from "../../analysis/ledger.ts";
import type { RefreshManyMessage } from "../../contracts/analysis-message.ts";
import type { Notice } from "../../contracts/notice.ts";
import type { Phase } from "../../contracts/phase.ts";
import { withCountedMetrics } from "../../control/counted-metrics.ts";
import { currentPhase } from "../../control/experiment.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import { closesAfterMs, graceMs } from "../../counting/plan.ts";
import type { EarlierEvidence, LedgerStore, Refresh } from "../../stores/ledger-store.ts";
import type { CellStore, ShardFigures } from "../../stores/cell-store.ts";
import type { DefinitionStore } from "../../stores/definition-store.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import { guard } from "./guard.ts";
import type { GuardServices } from "./guard.ts";
import { readChunks } from "./read-chunks.ts";

export interface Services extends GuardServices {
  definitions: GuardServices["definitions"] & Pick<DefinitionStore, "experimentsNamed">;
  ledger: LedgerStore;
  cells: CellStore;
}

const hourMs = 3_600_000;

/** Those that fail, with why; the others are done. Rejects when nothing could be read or stored. */
export async function analyse(
  services: Services,
  {
    environment,
    experiments,
    asOfMs,
  }: Pick<RefreshManyMessage, "environment" | "experiments" | "asOfMs">,
): Promise<Failure[]> {
  const { definitions, ledger, cells } = services;
  const [records, known] = await Promise.all([
    definitions.experimentsNamed(environment, experiments),
    ledger.readMany(environment, experiments),
  ]);
  const started = records.flatMap((record) => {
    const phase = currentPhase(record);
    return phase === null ? [] : [{ record, phase }];
  });
  const saved: Saved[] = [];
  const failures: Failure[] = [];
  for (const chunk of readChunks(started, asOfMs)) {
    const figures = await cells.readMany(
      environment,
      chunk.map(({ record, phase }) => ({
        experiment: record.key,
        phase: phase.phase,
        metrics: phase.metrics.length,
      })),
    );
    for (const { record, phase } of chunk) {
      try {
        const looks = known.looks.get(record.key) ?? [];
        const one = await refresh(services, {
          environment,
          record,
          phase,
          asOfMs,
          shards: figures.get(record.key) ?? [],
          before: known.evidence.get(record.key) ?? null,
          looks: looks.filter((look) => look.phase === phase.phase).map(({ row }) => row),
        });
        if (one !== null) saved.push(one);
      } catch (error) {
        failures.push({ experiment: record.key, error });
      }
    }
  }
  await ledger.saveAll(saved);
  return failures;
}

interface Failure {
  experiment: string;
  error: unknown;
}

interface Saved {
  refresh: Refresh;
  notices: Notice[];
}

interface ReadExperiment {
  environment: string;
  record: ExperimentRecord;
  phase: Phase;
  asOfMs: number;
  shards: ShardFigures[];
  before: EarlierEvidence | null;
  /** Of the phase, oldest first. */
  looks: LedgerRow[];
}

/** Null when it is in another phase by now: the next tick sees to it. */
async function refresh(
  services: Services,
  { environment, record: found, phase: running, asOfMs, shards, before, looks }: ReadExperiment,
): Promise<Saved | null> {
  const { ledger } = services;
  const experiment = found.key;
  const of = { environment, experiment, phase: running.phase };
  const figures = phaseFigures(shards, running.phase);
  const { rows } = figures;
  const record = await guard(
    services,
    { environment, record: found, phase: running },
    { rows, asOfMs },
  );
  const current = currentPhase(record);
  if (current?.phase !== running.phase) return null;
  const rebuilt = shards.map(({ rebuiltAtMs }) => rebuiltAtMs);
  const phase = withCountedMetrics(current, rebuilt);
  const inputs: RefreshInputs = {
    record,
    phase,
    figures,
    asOfMs,
    ledger: looks,
    logEvidenceBefore: before?.phase === phase.phase ? before.logEvidence : 0,
  };
  const look = dueLook({ ...inputs, recordedAtMs: services.nowMs() });
  const about = { experiment, phase, asOfMs, newId: services.newId };
  const told = lookNotices(about, look, [...looks, ...look]);
  if (look.length > 0 && !(await ledger.append(of, look, { notices: told }))) {
    console.log(JSON.stringify({ event: "look-taken-by-another", ...of }));
  }
  const after = look.length > 0 ? await ledger.looks(of) : looks;
  const answer = refreshed({ ...inputs, ledger: after });
  const longestWindowMs = Math.max(...phase.metrics.map(closesAfterMs));
  const lastEventMs = figures.lastEventMs ?? 0;
  const wasMismatched = inputs.logEvidenceBefore >= alarmLogEvidence;
  return {
    refresh: {
      environment,
      experiment,
      asOfMs,
      activity: shards.map(({ activity }) => activity?.version ?? 0),
      settlesAtMs: lastEventMs + longestWindowMs + graceMs + hourMs,
      body: JSON.stringify(answer),
    },
    notices: wasMismatched ? [] : mismatchNotices(about, answer.sampleRatio),
  };
}
