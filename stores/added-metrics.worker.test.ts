import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { at, definitionOf, metricOf, startedOf } from "../test/control-state.ts";
import { newEnvironment, requestOf } from "../test/control-database.ts";
import { addMetric } from "../control/add-metric.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import { addedMetrics } from "./added-metrics.ts";
import { definitionStore } from "./definition-store.ts";

const nowMs = Date.parse(at) + 1;
const metrics = new Map(
  ["revenue", "visits"].map((key) => [key, metricOf({ key, type: "mean", event: key })]),
);

function withMetric(record: ExperimentRecord, metric: string, atMs: number): ExperimentRecord {
  const added = addMetric(record, metric, { metrics, nowMs: atMs });
  if (!added.ok) throw new Error(added.problem.detail);
  return added.value;
}

async function store(environment: string, ...records: ExperimentRecord[]): Promise<void> {
  for (const record of records) {
    await definitionStore(env.CONTROL).change(requestOf(environment), () => ({
      ok: true,
      value: {
        action: "create",
        writes: [
          { entity: "experiment", record },
          { entity: "metric", definition: definitionOf(metricOf({ key: `of-${record.key}` })) },
        ],
        value: null,
      },
    }));
  }
}

test("tells, of the experiments that are counted, when the last of their metrics was added", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const twice = withMetric(withMetric(startedOf(), "revenue", nowMs), "visits", nowMs + 5);
  const named = (key: string, record: ExperimentRecord) => ({ ...record, id: key, key });
  await store(
    environment,
    named("none", startedOf()),
    named("twice", twice),
    named("paused", { ...withMetric(startedOf(), "revenue", nowMs), status: "paused" }),
    named("archived", { ...twice, status: "archived" }),
  );
  expect((await addedMetrics(env.CONTROL)).toSorted((a, b) => a.addedAtMs - b.addedAtMs)).toEqual([
    { environment, experiment: "paused", addedAtMs: nowMs },
    { environment, experiment: "twice", addedAtMs: nowMs + 5 },
  ]);
});
