/** What may be said at a look, computed once when it is taken and kept in its row: valid however often somebody reads it. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type { Interval } from "../contracts/results.ts";
import { plannedUnits } from "../control/replan.ts";
import { plannedFractions } from "../control/resolve-plan.ts";
import {
  conditionalPower,
  groupSequentialBounds,
  normal,
  repeatedProportionInterval,
  repeatedPValue,
  stagewiseInference,
  studentT,
} from "../stats/index.ts";
import { decisive, isAdjusted } from "./decisive.ts";
import { leastNewInformation } from "./ledger.ts";
import type { LedgerRow, LookInference, TakenLook } from "./ledger.ts";
import { isProportion, proportion } from "./readings.ts";

/** @param before the ledger's earlier rows, in order */
export function lookInference(
  phase: Phase,
  metric: PhaseMetric,
  { before, taken }: { before: readonly LedgerRow[]; taken: TakenLook },
): LookInference {
  const rows = [...before, taken];
  const earlier = before.at(-1)?.inference.sequentialPValue ?? 1;
  return {
    repeatedConfidenceInterval: repeatedInterval(phase, metric, taken),
    sequentialPValue: Math.min(earlier, repeated(phase, metric, rows)),
    conditionalPower: taken.crossed ? null : powerAhead(phase, metric, rows),
    final: taken.crossed || taken.final ? final(phase, metric, rows) : null,
  };
}

/** One-sided bounds lie above; a metric that should decrease is read upside down. */
function orientation({ plan }: Phase, metric: PhaseMetric): 1 | -1 {
  return plan.sides === 1 && metric.direction === "decrease" ? -1 : 1;
}

/** The level whose design would just have rejected at the newest look. */
function repeated(phase: Phase, metric: PhaseMetric, rows: readonly TakenLook[]): number {
  const { sides, spending } = phase.plan;
  return repeatedPValue({
    sides,
    spending,
    fractions: rows.map((row) => row.informationFraction),
    spendingTime: rows.map((row) => row.spendingTime),
    z: orientation(phase, metric) * (rows.at(-1)?.z ?? 0),
  });
}

/** The effects that the look's own bound does not reject: excludes 0 exactly when the bound is reached. */
function repeatedInterval(phase: Phase, metric: PhaseMetric, row: TakenLook): Interval | null {
  const { boundary, inputs } = row;
  if (boundary === null || !(boundary > 0)) return null;
  const { control, treatment } = inputs;
  if (isProportion(metric) && !isAdjusted(phase, metric)) {
    return repeatedProportionInterval({
      control: proportion(control),
      treatment: proportion(treatment),
      bound: boundary,
    });
  }
  const { effect, standardError, degreesOfFreedom } = decisive(phase, metric, {
    readings: new Map([
      [phase.control, control],
      [row.variant, treatment],
    ]),
    theta: inputs.theta ?? null,
    treatment: row.variant,
    level: 1 - phase.plan.ledgerAlpha,
  });
  if (effect === null || standardError === null) return null;
  const critical =
    degreesOfFreedom === null
      ? boundary
      : -studentT.quantile(normal.sf(boundary), degreesOfFreedom);
  return [effect - critical * standardError, effect + critical * standardError];
}

/** Of crossing, on either side, at the planned looks that remain. */
function powerAhead(phase: Phase, metric: PhaseMetric, rows: readonly TakenLook[]): number | null {
  const last = rows.at(-1);
  if (last === undefined || last.final || last.z === null) return null;
  const { ledgerAlpha: alpha, sides, spending } = phase.plan;
  // Of the information that was first planned, for each share of the units that are planned now.
  const scale = plannedUnits(phase.plan) / phase.plan.maximumSampleSize;
  const ahead = plannedFractions(phase.plan.looks).filter(
    (share) =>
      share * scale > last.informationFraction + leastNewInformation && share > last.spendingTime,
  );
  if (ahead.length === 0) return null;
  const fractions = [
    ...rows.map((row) => row.informationFraction),
    ...ahead.map((share) => share * scale),
  ];
  const spendingTime = [...rows.map((row) => row.spendingTime), ...ahead];
  const { upper, lower } = groupSequentialBounds({
    fractions,
    spendingTime,
    alpha,
    sides,
    spending,
  });
  const z = orientation(phase, metric) * last.z;
  const { power, powerBelow } = conditionalPower({
    fractions,
    upper,
    lower,
    z,
    look: rows.length,
    drift: "trend",
  });
  return power + (powerBelow ?? 0);
}

/** Stage-wise inference at the stop, from the drift scale to the metric's unit by the standard error at full information. */
function final(
  phase: Phase,
  metric: PhaseMetric,
  rows: readonly TakenLook[],
): LookInference["final"] {
  const last = rows.at(-1);
  const { effect, standardError } = last?.inputs ?? { effect: null, standardError: null };
  if (last === undefined || last.z === null || effect === null || standardError === null)
    return null;
  const sign = orientation(phase, metric);
  const upper = rows.map((row) => row.boundary ?? Infinity);
  const { pValue, medianUnbiased, confidenceInterval } = stagewiseInference({
    fractions: rows.map((row) => row.informationFraction),
    upper,
    lower: phase.plan.sides === 2 ? upper.map((bound) => -bound) : null,
    stopLook: rows.length,
    z: sign * last.z,
    level: 1 - phase.plan.ledgerAlpha,
  });
  const testError = last.z === 0 ? standardError : effect / last.z;
  const unit = sign * testError * Math.sqrt(last.informationFraction);
  const [a, b] = [confidenceInterval[0] * unit, confidenceInterval[1] * unit];
  return {
    pValue,
    medianUnbiased: medianUnbiased * unit,
    confidenceInterval: [Math.min(a, b), Math.max(a, b)],
  };
}
