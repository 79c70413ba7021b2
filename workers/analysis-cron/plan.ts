/** Which experiments need a refresh: those whose data changed since the last one, and those whose units are still maturing. */

import type { RefreshMessage } from "../../contracts/analysis-message.ts";
import type { Activity } from "../../stores/cell-store.ts";
import type { StartedExperiment } from "../../stores/ledger-store.ts";

export function planAnalyses(
  experiments: readonly StartedExperiment[],
  shards: readonly (readonly Activity[])[],
  asOfMs: number,
): RefreshMessage[] {
  const versions = shards.map(
    (rows) =>
      new Map(rows.map((row) => [keyOf(row.environment, row.experiment), row.version] as const)),
  );
  return experiments.flatMap(({ environment, experiment, refreshed }) => {
    const key = keyOf(environment, experiment);
    const activity = versions.map((shard) => shard.get(key) ?? 0);
    const isUnchanged =
      refreshed !== null &&
      refreshed.activity.length === activity.length &&
      refreshed.activity.every((version, shard) => version === activity[shard]) &&
      refreshed.asOfMs >= refreshed.settlesAtMs;
    return isUnchanged ? [] : [{ v: 1, task: "refresh", environment, experiment, asOfMs }];
  });
}

function keyOf(environment: string, experiment: string): string {
  return `${environment}/${experiment}`;
}
