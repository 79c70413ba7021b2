/**
 * By how much a treatment is worse than its guardrail allows, with an error that holds for small and uneven samples.
 * Harm is counted in the undesired direction; the margin is a share of the control's mean, whose own error is part of the answer.
 */

import type { PhaseMetric } from "../contracts/phase.ts";
import { compare, describe, isProportion } from "./readings.ts";
import type { Reading } from "./readings.ts";

/** Fewer units a variant, or fewer conversions expected of it, say nothing by a normal approximation. */
const leastUnits = 100;
const leastExpected = 5;

export interface ExcessHarm {
  /** Harm less the margin, in the metric's unit: above 0 is worse than allowed. */
  estimate: number;
  standardError: number;
  /** Units of both variants. */
  n: number;
}

/** Null where there is too little to say anything. @param margin 0 for any harm at all */
export function excessHarm(
  metric: PhaseMetric,
  { control, treatment, margin }: { control: Reading; treatment: Reading; margin: number },
): ExcessHarm | null {
  if (Math.min(control.n, treatment.n) < leastUnits) return null;
  const a = describe(metric, control);
  const b = describe(metric, treatment);
  if (a.mean === null || b.mean === null || a.variance === null || b.variance === null) return null;
  if (metric.type === "ratio" && !isRatio(metric, control, treatment)) return null;
  const undesired = metric.direction === "decrease" ? 1 : -1;
  const ofControl = -undesired - margin * Math.sign(a.mean);
  const error = (varianceA: number, varianceB: number) =>
    Math.sqrt((ofControl ** 2 * varianceA) / a.n + varianceB / b.n);
  const same = isProportion(metric)
    ? justAllowed({ a, b }, Math.max(0, -ofControl / undesired))
    : pooled(a.variance, b.variance, { a: a.n, b: b.n });
  if (same === null) return null;
  // The larger of two errors: that of the variants as they are is far too small when the small one of an uneven split is out of luck.
  const standardError = Math.max(error(a.variance, b.variance), error(same.a, same.b));
  const estimate = undesired * b.mean + ofControl * a.mean;
  return standardError > 0 ? { estimate, standardError, n: a.n + b.n } : null;
}

/** Whether both denominators are far enough from 0 for a ratio to be tested at all. */
function isRatio(metric: PhaseMetric, a: Reading, b: Reading): boolean {
  const readings = new Map([
    ["a", a],
    ["b", b],
  ]);
  return compare(metric, readings, { control: "a", treatment: "b", level: 0.95 }).effect !== null;
}

/** The variances if the treatment's rate were just `ratio` times the control's. */
function justAllowed(
  { a, b }: { a: { n: number; sum: number }; b: { n: number; sum: number } },
  ratio: number,
): { a: number; b: number } | null {
  const rateA = Math.min(1, (a.sum + b.sum) / (a.n + ratio * b.n));
  const rateB = Math.min(1, ratio * rateA);
  if (Math.min(a.n, b.n) * rateA < leastExpected) return null;
  return { a: rateA * (1 - rateA), b: rateB * (1 - rateB) };
}

function pooled(varianceA: number, varianceB: number, n: { a: number; b: number }) {
  const variance = ((n.a - 1) * varianceA + (n.b - 1) * varianceB) / (n.a + n.b - 2);
  return { a: variance, b: variance };
}
