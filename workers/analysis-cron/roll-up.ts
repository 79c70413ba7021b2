/**
 * Once a day: what experiments have counted by the hour is kept by the day where that changes no answer (analysis/rollable-days.ts), because every
 * refresh reads all cells of an experiment. A bounded part of it a message; what is rolled up already is left alone.
 */

import { rollableDays, rollableSegmentDays } from "../../analysis/rollable-days.ts";
import type { RollUpMessage } from "../../contracts/roll-up-message.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import type { CellRollUp } from "../../stores/cell-roll-up.ts";

export interface RollUpServices {
  shard: (index: number) => CellRollUp;
  experiments: (environment: string) => Promise<ExperimentRecord[]>;
}

const dayMs = 24 * 3_600_000;
const minuteMs = 60_000;
/** UTC; after the daily rebuilds, which count by the hour. */
const dailyMs = 5 * 3_600_000;
/** Of a transaction. */
const daysAtOnce = 7;
const transactionsAStep = 20;

export function planRollUps(shards: number, asOfMs: number): RollUpMessage[] {
  const sinceMs = (asOfMs % dayMs) - dailyMs;
  if (sinceMs < 0 || sinceMs >= minuteMs) return [];
  return Array.from({ length: shards }, (_, shard) => ({ v: 1, task: "roll-up", shard, asOfMs }));
}

/** True: there is more to roll up. */
export async function rollUp(
  { shard, experiments }: RollUpServices,
  { shard: index, asOfMs }: RollUpMessage,
): Promise<boolean> {
  const cohorts = shard(index);
  let transactions = 0;
  for (const [environment, phases] of Map.groupBy(await cohorts.hourly(), (of) => of.environment)) {
    const records = new Map((await experiments(environment)).map((record) => [record.key, record]));
    for (const { days, segmentDays, newestDay, ...of } of phases) {
      const record = records.get(of.experiment);
      const phase = record?.phases.find((each) => each.phase === of.phase);
      if (phase === undefined || record?.status === "archived") continue;
      const due = {
        units: rollableDays(phase, days, { newestDay, asOfMs }),
        segments: rollableSegmentDays(segmentDays, { asOfMs }),
      };
      for (const part of ["units", "segments"] as const) {
        for (let from = 0; from < due[part].length; from += daysAtOnce) {
          if (transactions === transactionsAStep) return true;
          await cohorts.roll(of, part, due[part].slice(from, from + daysAtOnce));
          transactions++;
        }
      }
    }
  }
  return false;
}
