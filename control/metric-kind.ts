/** Metrics. A started experiment keeps the definition it started with, whatever becomes of the metric. */

import type { MetricBody } from "../contracts/metric.ts";
import { checkMetric } from "./check-metric.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { usersOfMetric } from "./references.ts";

export const metricKind: DefinitionKind<"metric", MetricBody> = {
  entity: "metric",
  plural: "metrics",
  of: (state) => state.metrics,
  write: (definition) => ({ entity: "metric", definition }),
  check: checkMetric,
  stored: (body) => body,
  authored: (stored) => stored,
  users: usersOfMetric,
  warnings: () => [],
};
