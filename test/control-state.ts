/** Definitions for tests of the control plane, written as little as a test can say what it is about. */

import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import type { ExperimentBody } from "../contracts/experiment.ts";
import { flagBody } from "../contracts/flag.ts";
import type { FlagBody } from "../contracts/flag.ts";
import { metricBody } from "../contracts/metric.ts";
import type { MetricBody } from "../contracts/metric.ts";
import type { Definition, EnvironmentState } from "../control/environment-state.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import { storedFlag } from "../control/flag-form.ts";
import { advance } from "../control/lifecycle.ts";
import type { LayerUse } from "../control/lifecycle.ts";
import type { Flag } from "../core/index.ts";

export const at = "2026-01-14T09:00:00.000Z";
export const atMs = Date.parse(at);

export const metricOf = (more: object = {}): MetricBody =>
  z.parse(metricBody, { key: "purchased", type: "proportion", event: "purchase", ...more });

export const metricsOf = (...bodies: MetricBody[]): ReadonlyMap<string, MetricBody> =>
  new Map(bodies.map((body) => [body.key, body]));

export const experimentOf = (more: object = {}): ExperimentBody =>
  z.parse(experimentBody, {
    key: "checkout",
    variants: [
      { key: "control", weight: 50, value: "v1", isControl: true },
      { key: "one_page", weight: 50, value: "v2" },
    ],
    metrics: { primary: ["purchased"] },
    plan: { maximumSampleSize: 1_000 },
    ...more,
  });

export function draftOf(more: object = {}): ExperimentRecord {
  const body = experimentOf(more);
  return {
    id: `id-of-${body.key}`,
    key: body.key,
    version: 1,
    status: "draft",
    body,
    phases: [],
    createdAt: at,
    updatedAt: at,
  };
}

export const flagOf = (more: object = {}): FlagBody =>
  z.parse(flagBody, {
    key: "theme",
    type: "string",
    variants: [
      { key: "light", value: "#fff" },
      { key: "dark", value: "#000" },
    ],
    defaultVariant: "light",
    ...more,
  });

export const definitionOf = <T extends { key: string }>(body: T): Definition<T> => ({
  id: `id-of-${body.key}`,
  version: 1,
  body,
  createdAt: at,
  updatedAt: at,
  archivedAt: null,
});

export const archived = <T extends { key: string }>(body: T): Definition<T> => ({
  ...definitionOf(body),
  archivedAt: at,
});

export const storedFlagOf = (more: object = {}): Flag => storedFlag(flagOf(more), "flag-salt");

/** One metric, and nothing else unless it is given. */
export const stateOf = (more: Partial<EnvironmentState> = {}): EnvironmentState => ({
  id: "environment",
  version: 7,
  flags: [],
  metrics: [definitionOf(metricOf())],
  layers: [],
  holdouts: [],
  segments: [],
  experiments: [],
  ...more,
});

/** After a start at `at`, outside any layer unless it is given. */
export function startedOf(more: object = {}, layer: LayerUse | null = null): ExperimentRecord {
  const started = advance(draftOf(more), "start", {
    nowMs: atMs,
    metrics: metricsOf(metricOf()),
    freshSalt: "fresh",
    layer,
  });
  if (!started.ok) throw new Error(started.problem.detail);
  return started.value;
}
