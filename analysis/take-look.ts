/**
 * What a look appends to the ledgers. Bounds of earlier looks are never changed; the new one is computed from the information that the looks
 * really had.
 */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { plannedUnits } from "../control/replan.ts";
import { groupSequentialBounds } from "../stats/index.ts";
import { analysisVersion } from "./analysis-version.ts";
import { leastNewInformation } from "./ledger.ts";
import type { LedgerRow, TakenLook } from "./ledger.ts";
import { plannedLook, primariesOf } from "./look-due.ts";
import type { DueLook, LookInputs } from "./look-due.ts";
import { lookInference } from "./look-inference.ts";
import { decisive, thetaOf } from "./decisive.ts";
import { futilityAt } from "./futility.ts";
import { readingOf } from "./readings.ts";
import type { Reading, ReadingsByVariant } from "./readings.ts";

const boundTolerance = 1e-9;

/** The rows that this refresh appends: none unless a look is due. */
export function takeLook(inputs: LookInputs): LedgerRow[] {
  const due = plannedLook(inputs);
  return due === null ? [] : rowsOf(inputs, due);
}

/** One row for each primary metric and treatment whose ledger is open and has new information. */
export function rowsOf(inputs: LookInputs, due: DueLook): LedgerRow[] {
  const { phase } = inputs;
  const treatments = phase.variants
    .map(({ variant }) => variant)
    .filter((v) => v !== phase.control);
  return primariesOf(phase).flatMap((metric) =>
    treatments.flatMap((variant) => appendTo(inputs, { metric, variant, due })),
  );
}

function appendTo(
  { phase, matured, ledger, asOfMs, watermarkMs, recordedAtMs }: LookInputs,
  { metric, variant, due }: { metric: PhaseMetric; variant: string; due: DueLook },
): LedgerRow[] {
  const { cause, share, last, mayDecide } = due;
  const { plan, control } = phase;
  const before = ledger.filter((row) => row.metric === metric.key && row.variant === variant);
  const previous = before.at(-1);
  if (previous !== undefined && (previous.final || previous.crossed)) return [];
  const readings = matured.get(metric.key);
  if (readings === undefined) return [];
  const informationFraction = information(phase, variant, readings);
  if (informationFraction - (previous?.informationFraction ?? 0) < leastNewInformation) return [];
  const spendingTime = last
    ? 1
    : Math.max(
        previous?.spendingTime ?? 0,
        Math.min(1, (informationFraction * plan.maximumSampleSize) / plannedUnits(plan)),
      );
  const k = before.length;
  const fractions = [...before.map((row) => row.informationFraction), informationFraction];
  const spendingTimes = [...before.map((row) => row.spendingTime), spendingTime];
  const bounds = groupSequentialBounds({
    fractions,
    spendingTime: spendingTimes,
    alpha: plan.ledgerAlpha,
    sides: plan.sides,
    spending: plan.spending,
  });
  requireSameBounds(before, bounds.upper);
  const level = 1 - plan.ledgerAlpha;
  const theta = thetaOf(phase, metric, readings);
  const compared = decisive(phase, metric, { readings, theta, treatment: variant, level });
  const bound = mayDecide ? (bounds.upper[k] ?? Infinity) : Infinity;
  const { z } = compared;
  const crossed = z !== null && reaches(z, bound, phase, metric);
  const taken: TakenLook = {
    metric: metric.key,
    variant,
    look: k + 1,
    takenAtMs: asOfMs,
    watermarkMs,
    informationFraction,
    spendingTime,
    boundary: Number.isFinite(bound) ? bound : null,
    z,
    nominalP: bounds.nominalP[k] ?? 0,
    alphaSpent: bounds.alphaSpent[k] ?? 0,
    crossed,
    final: spendingTime === 1,
    cause,
    recordedAtMs,
    analysisVersion,
    ...futilityAt(phase, metric, { upper: bounds.upper, spendingTimes, fractions, z, crossed }),
    inputs: {
      maturedShare: share,
      effect: compared.effect,
      standardError: compared.standardError,
      control: reading(readings, control),
      treatment: reading(readings, variant),
      ...(theta !== null && { theta }),
    },
  };
  return [{ ...taken, inference: lookInference(phase, metric, { before, taken }) }];
}

/** Solved again from the same fractions they are the same; else the ledger was touched, and nothing may be built on it. */
function requireSameBounds(before: readonly LedgerRow[], solved: readonly number[]): void {
  for (const [index, { boundary, look, metric, variant }] of before.entries()) {
    const again = solved[index] ?? Infinity;
    if (boundary === null || Math.abs(boundary - again) <= boundTolerance) continue;
    throw new Error(
      `the ledger of ${metric} and ${variant} is not as it was written: look ${look} has the boundary ${boundary}, and its information gives ${again}`,
    );
  }
}

/** One-sided plans look only in the desired direction. */
function reaches(z: number, bound: number, { plan }: Phase, metric: PhaseMetric): boolean {
  if (plan.sides === 2) return Math.abs(z) >= bound;
  return (metric.direction === "decrease" ? -z : z) >= bound;
}

/** Effective units 1/(1/nT + 1/nC) over those planned: 1/variance of a difference, but for a constant. */
function information(phase: Phase, variant: string, readings: ReadingsByVariant): number {
  const nT = readingOf(readings, variant).n;
  const nC = readingOf(readings, phase.control).n;
  if (nT === 0 || nC === 0) return 0;
  const weight = (key: string) =>
    (phase.variants.find((one) => one.variant === key)?.weightBasisPoints ?? 0) / 10_000;
  const planned = phase.plan.maximumSampleSize / (1 / weight(variant) + 1 / weight(phase.control));
  return 1 / (1 / nT + 1 / nC) / planned;
}

function reading(readings: ReadingsByVariant, variant: string): Reading {
  const { n, sums } = readingOf(readings, variant);
  return { n, sums };
}
