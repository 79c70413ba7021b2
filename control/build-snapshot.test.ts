import { expect, test } from "vitest";
import * as z from "zod/mini";
import { countingPlan } from "../contracts/counting-plan.ts";
import { snapshot } from "../contracts/snapshot.ts";
import { compile, evaluate } from "../core/index.ts";
import {
  archived,
  atMs,
  definitionOf,
  draftOf,
  metricOf,
  startedOf,
  stateOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { buildCountingPlan, buildSnapshot } from "./build-snapshot.ts";

const layer = { key: "page", salt: "layer-salt", occupied: [] };
const running = startedOf(
  { key: "running", layer: "page", traffic: 25, targeting: { country: "US" } },
  layer,
);
const withStatus = (key: string, status: "paused" | "completed" | "archived") => ({
  ...startedOf({ key }),
  status,
});
const holdout = { key: "quiet", salt: "h", unit: "user", basisPoints: 500, layer: null };

const state = stateOf({
  flags: [definitionOf(storedFlagOf()), archived(storedFlagOf({ key: "retired" }))],
  metrics: [
    definitionOf(metricOf()),
    definitionOf(metricOf({ key: "unused", event: "visit" })),
    archived(metricOf({ key: "old", event: "old_event" })),
    definitionOf(
      metricOf({
        key: "per",
        type: "ratio",
        event: "order",
        denominator: { event: "cart" },
      }),
    ),
  ],
  layers: [definitionOf({ key: "page", salt: "layer-salt" })],
  holdouts: [definitionOf({ ...holdout, name: "Quiet" }), archived({ ...holdout, key: "past" })],
  segments: [
    definitionOf({ key: "staff", name: "Staff", values: ["a", 1] }),
    archived({ key: "gone", values: [] }),
  ],
  experiments: [
    draftOf({ key: "draft" }),
    running,
    withStatus("paused", "paused"),
    withStatus("completed", "completed"),
    withStatus("archived", "archived"),
  ],
});

test("a snapshot has what is in force and runs, and passes what its readers parse it with", () => {
  const built = buildSnapshot(state);
  expect(built).toEqual({
    formatVersion: 1,
    environment: "environment",
    version: 7,
    flags: [storedFlagOf()],
    experiments: [
      {
        key: "running",
        hashVersion: 1,
        phase: 1,
        salt: "fresh",
        unit: "targetingKey",
        control: "control",
        variants: [
          { variant: "control", weightBasisPoints: 5_000 },
          { variant: "one_page", weightBasisPoints: 5_000 },
        ],
        targeting: { country: "US" },
        layer: "page",
        layerSalt: "layer-salt",
        slots: [[0, 2_500]],
        dimensions: ["country", "device", "platform"],
      },
    ],
    holdouts: [holdout],
    segments: [{ key: "staff", values: ["a", 1] }],
  });
  expect(z.parse(snapshot, JSON.parse(JSON.stringify(built)))).toEqual(built);
});

test("a counting plan has every started experiment that is not archived, and the outcomes that metrics read", () => {
  const built = buildCountingPlan(state);
  expect(built.experiments.map(({ key }) => key)).toEqual(["running", "paused", "completed"]);
  expect(built.outcomes.toSorted()).toEqual(["cart", "order", "purchase", "visit"]);
  expect(built.experiments[0]).toEqual({
    key: "running",
    unit: "targetingKey",
    dimensions: ["country", "device", "platform"],
    phases: [
      {
        phase: 1,
        variants: ["control", "one_page"],
        running: [[atMs, null]],
        excludesEarlierPhases: false,
        metrics: [
          {
            key: "purchased",
            type: "proportion",
            event: "purchase",
            aggregation: "any",
            windowMs: 72 * 3_600_000,
          },
        ],
      },
    ],
  });
  expect(z.parse(countingPlan, JSON.parse(JSON.stringify(built)))).toEqual(built);
});

test("a started experiment's outcomes stay, whatever becomes of the metric that it started with", () => {
  const metrics = [archived(metricOf())];
  expect(buildCountingPlan({ ...state, metrics }).outcomes).toEqual(["purchase"]);
});

test("a scheduled stop ends assignment by itself", () => {
  const stop = "2026-03-01T12:00:00Z";
  const variants = ["control", "one_page"].map((key) => ({ key, value: key }));
  const flag = storedFlagOf({
    key: "limited",
    variants,
    defaultVariant: "control",
    rules: [{ experiment: "limited" }],
  });
  const experiments = [startedOf({ key: "limited", schedule: { stop } })];
  const built = buildSnapshot(stateOf({ experiments, flags: [definitionOf(flag)] }));
  const evaluatedAt = (nowMs: number) =>
    evaluate(compile(built), "limited", { targetingKey: "u" }, nowMs);
  const stopMs = Date.parse(stop);
  expect(evaluatedAt(stopMs - 1).exposure?.experiment).toBe("limited");
  expect(evaluatedAt(stopMs)).not.toHaveProperty("exposure");
});
