/** One refresh of one experiment: the look, if one is due, and the answer. Pure; whoever calls appends the look first, then stores the answer. */

import type { Results } from "../contracts/results.ts";
import { current, matured, populationsOf } from "../counting/aggregate.ts";
import type { CohortRows } from "../counting/aggregate.ts";
import { closesAfterMs, graceMs } from "../counting/plan.ts";
import type { ExperimentRecord } from "../control/experiment.ts";
import type { Phase } from "../contracts/phase.ts";
import type { LedgerRow } from "./ledger.ts";
import { allUnits, readingsOf } from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";
import { results } from "./results.ts";
import type { LookInputs } from "./look-due.ts";
import { takeLook } from "./take-look.ts";

const hourMs = 3_600_000;

/** What was counted of a phase, from all shards. */
export interface PhaseFigures {
  rows: CohortRows;
  quality: Results["quality"];
  lastEventMs: number | null;
}

export const noFigures: PhaseFigures = {
  rows: { populations: [], cells: [] },
  quality: { quarantinedUnits: 0, botExposures: 0, lateEvents: 0, outsidePhaseUnits: 0 },
  lastEventMs: null,
};

export interface RefreshInputs {
  record: Pick<ExperimentRecord, "key" | "status">;
  phase: Phase;
  figures: PhaseFigures;
  /** Oldest first. */
  ledger: readonly LedgerRow[];
  logEvidenceBefore: number;
  asOfMs: number;
}

/** The rows that a look would append now; none when none is due. */
export function dueLook(inputs: LookData): LedgerRow[] {
  const look = lookInputs(inputs);
  return look === null ? [] : takeLook(look);
}

export type LookData = Pick<RefreshInputs, "phase" | "figures" | "ledger" | "asOfMs"> & {
  recordedAtMs: number;
};

/** What a look would be taken on now; null when nobody has matured. */
export function lookInputs({
  phase,
  figures,
  ledger,
  asOfMs,
  recordedAtMs,
}: LookData): LookInputs | null {
  const watermarkMs = maturedUntilMs(phase, figures, asOfMs);
  if (watermarkMs === null) return null;
  const matured = maturedReadings(phase, figures, asOfMs);
  const unitsOf = (all: Iterable<{ n: number }>) => [...all].reduce((sum, { n }) => sum + n, 0);
  const everybody = unitsOf(allUnits(figures.rows).populations);
  const unmatured = phase.metrics.some(
    ({ key, role }) => role === "primary" && unitsOf(matured.get(key)?.values() ?? []) < everybody,
  );
  return { phase, ledger, asOfMs, watermarkMs, recordedAtMs, matured, unmatured };
}

/** When the newest cohort that has matured for every primary metric did so; null when none has. */
function maturedUntilMs({ metrics }: Phase, { rows }: PhaseFigures, asOfMs: number): number | null {
  const primaries = metrics.filter(({ role }) => role === "primary");
  const afterMs = Math.max(...primaries.map(closesAfterMs)) + graceMs;
  const instants = rows.populations
    .filter(({ dimension, n }) => dimension === "" && n > 0)
    .map(({ cohortStart, cohortHours }) => (cohortStart + cohortHours) * hourMs + afterMs)
    .filter((instant) => instant <= asOfMs);
  return instants.length === 0 ? null : instants.reduce((a, b) => Math.max(a, b));
}

export function refreshed(inputs: RefreshInputs): Results {
  const { record, phase, figures, ledger, logEvidenceBefore, asOfMs } = inputs;
  const { rows, quality, lastEventMs } = figures;
  const populations = populationsOf(rows);
  const units = populations.filter(({ dimension }) => dimension === "");
  const aggregates = current(rows, phase.metrics);
  return results({
    phase,
    asOfMs,
    quality,
    lastEventMs,
    ledger,
    logEvidenceBefore,
    experiment: record.key,
    status: record.status,
    units: new Map(units.map(({ variant, n }) => [variant, n])),
    current: byMetric(phase, aggregates),
    breakdown: { rows, populations, aggregates },
    matured: maturedReadings(phase, figures, asOfMs),
  });
}

/** Decisions are about all units; reading their segments for them would cost several times as much. */
function maturedReadings(phase: Phase, { rows }: PhaseFigures, asOfMs: number) {
  return byMetric(phase, matured(allUnits(rows), phase.metrics, asOfMs));
}

function byMetric(
  phase: Phase,
  aggregates: ReturnType<typeof current>,
): ReadonlyMap<string, ReadingsByVariant> {
  const variants = phase.variants.map(({ variant }) => variant);
  return new Map(phase.metrics.map(({ key }) => [key, readingsOf(key, variants, aggregates)]));
}
