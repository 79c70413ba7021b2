/** Definitions for tests of the control plane, written as little as a test can say what it is about. */

import * as z from "zod/mini";
import { experimentBody } from "../contracts/experiment.ts";
import type { ExperimentBody } from "../contracts/experiment.ts";
import { metricBody } from "../contracts/metric.ts";
import type { MetricBody } from "../contracts/metric.ts";
import type { ExperimentRecord } from "../control/experiment.ts";

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
