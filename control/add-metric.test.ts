import { describe, expect, test } from "vitest";
import {
  definitionOf,
  draftOf,
  metricOf,
  metricsOf,
  startedOf,
  stateOf,
} from "../test/control-state.ts";
import { addMetric } from "./add-metric.ts";
import { buildCountingPlan } from "./build-snapshot.ts";
import { advanceExperiment } from "./change-experiment.ts";
import { afterWrites } from "./environment-state.ts";
import type { ExperimentRecord } from "./experiment.ts";

const later = "2026-01-15T09:00:00.000Z";
const laterMs = Date.parse(later);
const revenue = metricOf({ key: "revenue", type: "mean", event: "payment" });
const errors = metricOf({ key: "errors", type: "mean", event: "error", direction: "decrease" });
const guarded = { metrics: { primary: ["purchased"], guardrail: [{ metric: "errors" }] } };

const add = (record: ExperimentRecord, metric: string, defined = [metricOf(), revenue]) =>
  addMetric(record, metric, { metrics: metricsOf(...defined), nowMs: laterMs });

describe("adding a metric", () => {
  const state = stateOf({
    metrics: [definitionOf(metricOf()), definitionOf(revenue)],
    experiments: [startedOf()],
  });
  const step = { action: "add-metric", metric: "revenue", reason: "forgotten" } as const;
  const fresh = { at: later, salt: "", expected: null };

  test("appends it to the phase as a secondary, with its definition, a default window, and when", () => {
    const decided = advanceExperiment(state, "checkout", step, fresh);
    if (!decided.ok) throw new Error(decided.problem.detail);
    const { value, action, reason } = decided.value;
    expect({ action, reason }).toEqual({ action: "add-metric", reason: "forgotten" });
    expect(value).toMatchObject({ version: 2, status: "running", updatedAt: later });
    expect(value.body.metrics.secondary).toEqual(["revenue"]);
    expect(value.phases[0]?.metrics.map(({ key }) => key)).toEqual(["purchased", "revenue"]);
    expect(value.phases[0]?.metrics[1]).toEqual({
      key: "revenue",
      type: "mean",
      event: "payment",
      aggregation: "sum",
      windowMs: 72 * 3_600_000,
      role: "secondary",
      direction: "increase",
      addedAtMs: laterMs,
    });
  });

  test("leaves all else of the phase as it was frozen", () => {
    const before = startedOf();
    const added = add(before, "revenue");
    if (!added.ok) throw new Error(added.problem.detail);
    const [phase] = added.value.phases;
    expect({ ...phase, metrics: [] }).toEqual({ ...before.phases[0], metrics: [] });
    expect(phase?.metrics[0]).toBe(before.phases[0]?.metrics[0]);
  });

  test("makes consumers count it", () => {
    const decided = advanceExperiment(state, "checkout", step, fresh);
    if (!decided.ok) throw new Error(decided.problem.detail);
    const plan = buildCountingPlan(afterWrites(state, decided.value.writes));
    const counted = { key: "revenue", type: "mean", event: "payment", aggregation: "sum" };
    expect(plan.experiments[0]?.phases[0]?.metrics[1]).toEqual({
      ...counted,
      windowMs: 72 * 3_600_000,
    });
    expect(plan.outcomes).toContain("payment");
  });

  test("puts it before the guardrails", () => {
    const started = startedOf(guarded);
    const [phase] = started.phases;
    if (phase === undefined) throw new Error("no phase");
    const guardrail = { ...phase.metrics[0], key: "errors", role: "guardrail" as const };
    const record = {
      ...started,
      phases: [{ ...phase, metrics: [...phase.metrics, guardrail] }],
    } as ExperimentRecord;
    const added = add(record, "revenue");
    if (!added.ok) throw new Error(added.problem.detail);
    expect(added.value.phases[0]?.metrics.map(({ key }) => key)).toEqual([
      "purchased",
      "revenue",
      "errors",
    ]);
    expect(add(record, "errors", [metricOf(), errors])).toMatchObject({
      problem: { code: "not-possible", detail: expect.stringContaining("guardrail") as string },
    });
  });

  test("that is there already gives it the definition in force, and not the same one again", () => {
    const once = add(startedOf(), "revenue");
    if (!once.ok) throw new Error(once.problem.detail);
    expect(add(once.value, "revenue")).toMatchObject({ problem: { code: "conflict" } });
    const capped = metricOf({ key: "revenue", type: "mean", event: "payment", cap: 100 });
    const twice = add(once.value, "revenue", [metricOf(), capped]);
    if (!twice.ok) throw new Error(twice.problem.detail);
    expect(twice.value.phases[0]?.metrics).toEqual([
      expect.objectContaining({ key: "purchased" }),
      expect.objectContaining({ key: "revenue", cap: 100 }),
    ]);
    expect(twice.value.body.metrics.secondary).toEqual(["revenue"]);
  });

  test.each([
    ["a draft", draftOf(), "revenue", "not-possible"],
    [
      "an archived experiment",
      { ...startedOf(), status: "archived" as const },
      "revenue",
      "not-possible",
    ],
    ["a primary metric", startedOf(), "purchased", "not-possible"],
    ["a metric that there is not", startedOf(), "none", "invalid-body"],
  ])("refuses %s", (_, record, metric, code) => {
    expect(add(record, metric)).toMatchObject({ ok: false, problem: { code } });
  });

  test.each(["paused", "completed"] as const)("is possible when it is %s", (status) => {
    expect(add({ ...startedOf(), status }, "revenue")).toMatchObject({ value: { status } });
  });
});
