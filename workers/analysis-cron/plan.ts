/** Which experiments need a refresh: those whose data changed since the last one, and those whose units are still maturing. */

import type { AnalysisMessage } from "../../contracts/analysis-message.ts";
import type { StartedExperiment } from "../../stores/ledger-store.ts";

/** Per shard, by `activityKey`: the shard's version at the experiment's last change. */
export type ShardActivity = ReadonlyMap<string, number>;

export function activityKey(environment: string, experiment: string): string {
  return `${environment}/${experiment}`;
}

export function planAnalyses(
  experiments: readonly StartedExperiment[],
  shards: readonly ShardActivity[],
  asOfMs: number,
): AnalysisMessage[] {
  return experiments.flatMap(({ environment, experiment, refreshed }) => {
    const key = activityKey(environment, experiment);
    const activity = shards.map((shard) => shard.get(key) ?? 0);
    const isUnchanged =
      refreshed !== null &&
      refreshed.activity.length === activity.length &&
      refreshed.activity.every((version, shard) => version === activity[shard]) &&
      refreshed.asOfMs >= refreshed.settlesAtMs;
    return isUnchanged ? [] : [{ v: 1, environment, experiment, asOfMs }];
  });
}
