/** Refreshes one experiment: reads its cells, takes the look that is due, and stores the answer. Safe to run twice, and at the same time as another. */

import * as z from "zod/mini";
import { dueLook, refreshed } from "../../analysis/refresh.ts";
import type { PhaseFigures, RefreshInputs } from "../../analysis/refresh.ts";
import type { AnalysisMessage } from "../../contracts/analysis-message.ts";
import { currentPhase } from "../../control/experiment.ts";
import { closesAfterMs, graceMs } from "../../counting/plan.ts";
import type { DefinitionStore } from "../../stores/definition-store.ts";
import type { LedgerStore, Refresh } from "../../stores/ledger-store.ts";
import type { ShardReader } from "../../stores/unit-shard.ts";

export interface Services {
  definitions: Pick<DefinitionStore, "experiment">;
  ledger: LedgerStore;
  shards: readonly ShardReader[];
}

const hourMs = 3_600_000;

/** What is read back of an earlier answer. */
const earlierAnswer = z.object({
  phase: z.number(),
  sampleRatio: z.object({ logEvidence: z.number() }),
});

export async function analyse(
  { definitions, ledger, shards }: Services,
  { environment, experiment, asOfMs }: AnalysisMessage,
): Promise<void> {
  const record = await definitions.experiment(environment, experiment);
  const phase = record === null ? null : currentPhase(record);
  if (record === null || phase === null) return;
  const of = { environment, experiment, phase: phase.phase };
  const before = await ledger.refresh(environment, experiment);
  if (before !== null && before.asOfMs > asOfMs) return;

  const { figures, activity } = await readFigures(shards, of);
  const inputs: RefreshInputs = {
    ...{ record, phase, figures, asOfMs },
    ledger: await ledger.looks(of),
    logEvidenceBefore: logEvidenceOf(before, phase.phase),
  };
  const look = dueLook(inputs);
  if (look.length > 0 && !(await ledger.append(of, look))) {
    console.log(JSON.stringify({ event: "look-taken-by-another", ...of }));
  }
  const answer = refreshed({ ...inputs, ledger: await ledger.looks(of) });
  const longestWindowMs = Math.max(...phase.metrics.map(closesAfterMs));
  const lastEventMs = figures.lastEventMs ?? 0;
  await ledger.save({
    ...{ environment, experiment, asOfMs, activity },
    settlesAtMs: lastEventMs + longestWindowMs + graceMs + hourMs,
    body: JSON.stringify(answer),
  });
}

function logEvidenceOf(before: Refresh | null, phase: number): number {
  if (before === null) return 0;
  const answer = z.parse(earlierAnswer, JSON.parse(before.body));
  return answer.phase === phase ? answer.sampleRatio.logEvidence : 0;
}

async function readFigures(
  shards: readonly ShardReader[],
  { environment, experiment, phase }: { environment: string; experiment: string; phase: number },
): Promise<{ figures: PhaseFigures; activity: number[] }> {
  const read = await Promise.all(
    shards.map(async (shard) => {
      // Activity first: what is folded meanwhile makes the next tick refresh again.
      const activity = await shard.readActivity(environment, experiment);
      const rows = await shard.readCells(environment, experiment, phase);
      const tallies = await shard.readTallies(environment, experiment);
      return { activity, rows, tallies };
    }),
  );
  const tally = (...causes: string[]) =>
    read
      .flatMap(({ tallies }) => tallies)
      .filter((row) => causes.includes(row.cause) && (row.phase === phase || row.phase === 0))
      .reduce((sum, { n }) => sum + n, 0);
  const lastEvents = read.flatMap(({ activity }) => activity.map((row) => row.lastEventMs));
  return {
    activity: read.map(({ activity }) => activity[0]?.version ?? 0),
    figures: {
      rows: {
        populations: read.flatMap(({ rows }) => rows.populations),
        cells: read.flatMap(({ rows }) => rows.cells),
      },
      quality: {
        quarantinedUnits: tally("quarantined"),
        botExposures: tally("bot", "hot"),
        lateEvents: tally("late"),
      },
      lastEventMs: lastEvents.length === 0 ? null : Math.max(...lastEvents),
    },
  };
}
