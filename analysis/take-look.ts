/**
 * When a look is due, and what it appends to the ledgers. A refresh is not a look: between two looks nothing is decided.
 * Bounds of earlier looks are never changed; the new one is computed from the information that the looks really had.
 */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { groupSequentialBounds } from "../stats/index.ts";
import { compare, isProportion, readingOf } from "./readings.ts";
import type { Reading, ReadingsByVariant } from "./readings.ts";
import { leastNewInformation } from "./ledger.ts";
import type { LedgerRow, TakenLook } from "./ledger.ts";
import { lookInference } from "./look-inference.ts";

const dayMs = 24 * 3_600_000;

export interface LookInputs {
  phase: Phase;
  /** By primary metric, on matured units. */
  matured: ReadonlyMap<string, ReadingsByVariant>;
  /** Every row of the phase so far, oldest first. */
  ledger: readonly LedgerRow[];
  asOfMs: number;
  /** When the newest of the matured units had matured: a look needs newer ones than the last look had. */
  watermarkMs: number;
}

/** The rows that this refresh appends: none unless a look is due. */
export function takeLook(inputs: LookInputs): LedgerRow[] {
  const { phase, ledger, watermarkMs } = inputs;
  if (ledger.some((row) => row.watermarkMs >= watermarkMs)) return [];
  const primaries = phase.metrics.filter(({ role }) => role === "primary");
  const share = maturedShare(inputs, primaries);
  if (planned(inputs, share, watermarkMs) <= plannedBefore(inputs)) return [];
  const last = share >= 1;
  if (!last && !primaries.every((metric) => hasEnough(inputs, metric))) return [];
  const treatments = phase.variants
    .map(({ variant }) => variant)
    .filter((v) => v !== phase.control);
  return primaries.flatMap((metric) =>
    treatments.flatMap((variant) => appendTo(inputs, { metric, variant, share, last })),
  );
}

/** Matured units over planned ones: of the primary metric that has fewest, because a look is for the whole experiment. */
function maturedShare({ phase, matured }: LookInputs, primaries: readonly PhaseMetric[]): number {
  const units = primaries.map(({ key }) =>
    [...(matured.get(key)?.values() ?? [])].reduce((total, { n }) => total + n, 0),
  );
  return Math.min(...units) / phase.plan.maximumSampleSize;
}

/** How many planned looks have been reached: by units, or for calendar plans by days since the start. */
function planned({ phase }: LookInputs, share: number, atMs: number): number {
  const { looks } = phase.plan;
  if ("fractions" in looks)
    return looks.fractions.filter((fraction) => fraction <= share + 1e-12).length;
  const startMs = phase.running[0]?.[0] ?? atMs;
  const everyMs = looks.every === "day" ? dayMs : 7 * dayMs;
  const reached = Math.min(looks.count, Math.floor((atMs - startMs) / everyMs));
  return share >= 1 ? looks.count : Math.max(0, reached);
}

function plannedBefore(inputs: LookInputs): number {
  const last = inputs.ledger.at(-1);
  return last === undefined ? 0 : planned(inputs, last.inputs.maturedShare, last.watermarkMs);
}

/** The normal approximation must hold as deep in the tail as early bounds lie (pitfalls: tails of rare events, uneven splits). */
function hasEnough({ phase, matured }: LookInputs, metric: PhaseMetric): boolean {
  const weights = phase.variants.map(({ weightBasisPoints }) => weightBasisPoints);
  const uneven = Math.max(...weights) / Math.min(...weights) > 70 / 30;
  const least = uneven ? 400 : 100;
  return [...(matured.get(metric.key)?.values() ?? [])].every(({ n, sums }) =>
    isProportion(metric) ? Math.min(sums.y, n - sums.y) >= least : n >= least,
  );
}

function appendTo(
  { phase, matured, ledger, asOfMs, watermarkMs }: LookInputs,
  look: { metric: PhaseMetric; variant: string; share: number; last: boolean },
): LedgerRow[] {
  const { metric, variant, share, last } = look;
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
    : Math.max(previous?.spendingTime ?? 0, Math.min(1, informationFraction));
  const k = before.length;
  const bounds = groupSequentialBounds({
    fractions: [...before.map((row) => row.informationFraction), informationFraction],
    spendingTime: [...before.map((row) => row.spendingTime), spendingTime],
    alpha: plan.ledgerAlpha,
    sides: plan.sides,
    spending: plan.spending,
  });
  const level = 1 - plan.ledgerAlpha;
  const compared = compare(metric, readings, { control, treatment: variant, level });
  const bound = bounds.upper[k] ?? Infinity;
  const { z } = compared;
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
    crossed: z !== null && reaches(z, bound, phase, metric),
    final: spendingTime === 1,
    inputs: {
      maturedShare: share,
      effect: compared.effect,
      standardError: compared.standardError,
      control: reading(readings, control),
      treatment: reading(readings, variant),
    },
  };
  return [{ ...taken, inference: lookInference(phase, metric, { before, taken }) }];
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
