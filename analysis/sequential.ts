/** What a ledger says: its looks, and the inference that stays valid however often somebody reads it. Computed from the rows alone. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type { Interval, SequentialResult } from "../contracts/results.ts";
import { plannedFractions } from "../control/resolve-plan.ts";
import {
  conditionalPower,
  groupSequentialBounds,
  normal,
  repeatedProportionInterval,
  sequentialPValue,
  stagewiseInference,
  studentT,
} from "../stats/index.ts";
import { leastNewInformation } from "./ledger.ts";
import type { LedgerRow } from "./ledger.ts";
import { compare, isProportion, proportion } from "./readings.ts";

/** @param rows of this ledger, in order of looks */
export function sequentialResult(
  phase: Phase,
  metric: PhaseMetric,
  rows: readonly LedgerRow[],
): SequentialResult {
  const last = rows.at(-1);
  const crossed = rows.some((row) => row.crossed);
  return {
    looks: rows.map((row) => ({
      look: row.look,
      takenAt: new Date(row.takenAtMs).toISOString(),
      informationFraction: row.informationFraction,
      z: row.z,
      boundary: row.boundary,
      nominalP: row.nominalP,
      alphaSpent: row.alphaSpent,
      crossed: row.crossed,
    })),
    crossed,
    repeatedConfidenceInterval: last === undefined ? null : repeatedInterval(phase, metric, last),
    sequentialPValue: pValue(phase, metric, rows),
    conditionalPower: crossed ? null : powerAhead(phase, metric, rows),
    final: last !== undefined && (crossed || last.final) ? final(phase, metric, rows) : null,
  };
}

/** One-sided bounds lie above; a metric that should decrease is read upside down. */
function orientation({ plan }: Phase, metric: PhaseMetric): 1 | -1 {
  return plan.sides === 1 && metric.direction === "decrease" ? -1 : 1;
}

function pValue(phase: Phase, metric: PhaseMetric, rows: readonly LedgerRow[]): number | null {
  if (rows.length === 0) return null;
  const { sides, spending } = phase.plan;
  const { sequential } = sequentialPValue({
    sides,
    spending,
    fractions: rows.map((row) => row.informationFraction),
    spendingTime: rows.map((row) => row.spendingTime),
    z: rows.map((row) => orientation(phase, metric) * (row.z ?? 0)),
  });
  return sequential.at(-1) ?? null;
}

/** The effects that the look's own bound does not reject: excludes 0 exactly when the bound is reached. */
function repeatedInterval(phase: Phase, metric: PhaseMetric, row: LedgerRow): Interval | null {
  const { boundary, inputs } = row;
  if (boundary === null || !(boundary > 0)) return null;
  const { control, treatment } = inputs;
  if (isProportion(metric)) {
    return repeatedProportionInterval({
      control: proportion(control),
      treatment: proportion(treatment),
      bound: boundary,
    });
  }
  const { effect, standardError, degreesOfFreedom } = compare(
    metric,
    new Map([
      ["control", control],
      ["treatment", treatment],
    ]),
    { control: "control", treatment: "treatment", level: 1 - phase.plan.ledgerAlpha },
  );
  if (effect === null || standardError === null) return null;
  const critical =
    degreesOfFreedom === null
      ? boundary
      : -studentT.quantile(normal.sf(boundary), degreesOfFreedom);
  return [effect - critical * standardError, effect + critical * standardError];
}

/** Of crossing, on either side, at the planned looks that remain. */
function powerAhead(phase: Phase, metric: PhaseMetric, rows: readonly LedgerRow[]): number | null {
  const last = rows.at(-1);
  if (last === undefined || last.final || last.z === null) return null;
  const { ledgerAlpha: alpha, sides, spending } = phase.plan;
  const ahead = plannedFractions(phase.plan.looks).filter(
    (fraction) => fraction > last.informationFraction + leastNewInformation,
  );
  if (ahead.length === 0) return null;
  const fractions = [...rows.map((row) => row.informationFraction), ...ahead];
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
  rows: readonly LedgerRow[],
): SequentialResult["final"] {
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
