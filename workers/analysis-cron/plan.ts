/**
 * Which experiments need a refresh: those whose data changed since the last one, those that were changed themselves (paused, resumed, planned anew, in
 * another phase), those whose units are still maturing, and those that were given a metric not long ago, until it is counted.
 */

import type { RefreshManyMessage, RefreshMessage } from "../../contracts/analysis-message.ts";
import type { AddedMetric } from "../../stores/added-metrics.ts";
import type { Activity } from "../../stores/cell-store.ts";
import type { StartedExperiment } from "../../stores/ledger-store.ts";

/** A rebuild counts a metric long before: there is one every day. */
const countedWithinMs = 2 * 24 * 3_600_000;

/** Read from CONTROL, and stored there, together. */
const experimentsAMessage = 20;

export interface AnalysisInputs {
  added: readonly AddedMetric[];
  asOfMs: number;
}

export function planAnalyses(
  experiments: readonly StartedExperiment[],
  shards: readonly (readonly Activity[])[],
  { added, asOfMs }: AnalysisInputs,
): RefreshMessage[] {
  const isRecent = ({ addedAtMs }: AddedMetric) => asOfMs - addedAtMs < countedWithinMs;
  const extended = new Set(
    added.filter(isRecent).map((each) => keyOf(each.environment, each.experiment)),
  );
  const versions = shards.map(
    (rows) =>
      new Map(rows.map((row) => [keyOf(row.environment, row.experiment), row.version] as const)),
  );
  return experiments.flatMap(({ environment, experiment, changedAtMs, refreshed }) => {
    const key = keyOf(environment, experiment);
    const activity = versions.map((shard) => shard.get(key) ?? 0);
    const isUnchanged =
      refreshed !== null &&
      changedAtMs <= refreshed.asOfMs &&
      !extended.has(key) &&
      refreshed.activity.length === activity.length &&
      refreshed.activity.every((version, shard) => version === activity[shard]) &&
      refreshed.asOfMs >= refreshed.settlesAtMs;
    return isUnchanged ? [] : [{ v: 1, task: "refresh", environment, experiment, asOfMs }];
  });
}

/** Several of one environment in a message: they are read and written together. */
export function grouped(
  refreshes: readonly RefreshMessage[],
): (RefreshMessage | RefreshManyMessage)[] {
  return [...Map.groupBy(refreshes, ({ environment }) => environment).values()].flatMap((all) => {
    const groups = [];
    for (let start = 0; start < all.length; start += experimentsAMessage) {
      groups.push(all.slice(start, start + experimentsAMessage));
    }
    return groups.flatMap((group): (RefreshMessage | RefreshManyMessage)[] => {
      const [first] = group;
      if (first === undefined || group.length === 1) return group;
      const { v, environment, asOfMs } = first;
      const experiments = group.map(({ experiment }) => experiment);
      return [{ v, task: "refresh-many", environment, experiments, asOfMs }];
    });
  });
}

function keyOf(environment: string, experiment: string): string {
  return `${environment}/${experiment}`;
}
