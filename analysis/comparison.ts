/** One treatment against the control on one metric: *current* data by fixed-sample methods, and what stays valid however often it is read. */

import type { ExperimentStatus, Phase, PhaseMetric } from "../contracts/phase.ts";
import type {
  ComparisonResult,
  CupedResult,
  Results,
  SequentialResult,
} from "../contracts/results.ts";
import {
  NO_COMPARISON,
  betaBinomialContrast,
  cuped,
  cupedTheta,
  normalPosterior,
} from "../stats/index.ts";
import type { Comparison } from "../stats/index.ts";
import { hasCovariate } from "./decisive.ts";
import { guardrailResult, harmSequence } from "./guardrails.ts";
import type { Watched } from "./guardrails.ts";
import type { LedgerRow } from "./ledger.ts";
import type { Aggregate, CohortRows, Population } from "../counting/aggregate.ts";
import {
  compare,
  isProportion,
  proportion,
  readingOf,
  tooLittle,
  withCovariate,
} from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";

export interface ResultInputs {
  experiment: string;
  status: ExperimentStatus;
  phase: Phase;
  asOfMs: number;
  lastEventMs: number | null;
  /** Exposed units by variant, all cohorts. */
  units: ReadonlyMap<string, number>;
  /** By metric: all units, and those whose windows have closed. */
  current: ReadonlyMap<string, ReadingsByVariant>;
  matured: ReadonlyMap<string, ReadingsByVariant>;
  quality: Results["quality"];
  /** *Current*, by dimension. */
  breakdown: {
    rows: CohortRows;
    populations: readonly Population[];
    aggregates: readonly Aggregate[];
  };
  /** Oldest first. */
  ledger: readonly LedgerRow[];
  /** Largest log evidence of a sample-ratio mismatch at earlier refreshes. */
  logEvidenceBefore: number;
}

export function comparisonResult(
  inputs: ResultInputs,
  metric: PhaseMetric,
  variant: string,
): ComparisonResult {
  const { phase, current, asOfMs } = inputs;
  const readings: ReadingsByVariant = current.get(metric.key) ?? new Map();
  const control = readingOf(readings, phase.control);
  const withheld = tooLittle(metric, [control, readingOf(readings, variant)]);
  const compared =
    withheld === null
      ? compare(metric, readings, {
          control: phase.control,
          treatment: variant,
          level: 1 - phase.plan.alpha,
        })
      : NO_COMPARISON;
  const rows = inputs.ledger.filter((row) => row.metric === metric.key && row.variant === variant);
  const watched = watchedIn(inputs, metric, variant);
  return {
    variant,
    basis: "fixed-sample",
    betweenLooks: rows.at(-1)?.takenAtMs !== asOfMs,
    withheld,
    lift: compared.effect,
    relativeLift: compared.relativeEffect,
    standardError: compared.standardError,
    statistic: compared.statistic,
    pValue: compared.pValue,
    adjustedPValue: null,
    confidenceInterval: compared.confidenceInterval,
    relativeConfidenceInterval: compared.relativeConfidenceInterval,
    cuped: withheld === null ? cupedResult(inputs, metric, variant) : null,
    sequential: metric.role === "primary" ? sequentialResult(rows) : null,
    alwaysValid: watched && alwaysValid(watched),
    guardrail: watched && guardrailResult(watched),
    bayesian: bayesian(metric, readings, { control: phase.control, variant, compared }),
  };
}

/** What the ledger says: frozen at its last look. */
function sequentialResult(rows: readonly LedgerRow[]): SequentialResult {
  const last = rows.at(-1)?.inference;
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
      futilityBoundary: row.futilityBoundary,
      futile: row.futile,
    })),
    repeatedConfidenceInterval: last?.repeatedConfidenceInterval ?? null,
    sequentialPValue: last?.sequentialPValue ?? null,
    crossed: rows.some((row) => row.crossed),
    conditionalPower: last?.conditionalPower ?? null,
    final: last?.final ?? null,
  };
}

/** Guardrails: on matured units. */
function alwaysValid(watched: Watched): ComparisonResult["alwaysValid"] {
  const harm = harmSequence(watched, 0);
  if (harm === null) return null;
  const [least, most] = harm.interval;
  const isHarm = watched.metric.direction === "decrease";
  return { pValue: harm.pValue, confidenceSequence: isHarm ? [least, most] : [-most, -least] };
}

function watchedIn(
  { phase, matured }: ResultInputs,
  metric: PhaseMetric,
  variant: string,
): Watched | null {
  if (metric.role !== "guardrail") return null;
  return { phase, metric, variant, readings: matured.get(metric.key) ?? new Map() };
}

/** Better means in the desired direction; the loss is what choosing the treatment is expected to cost. Priors are flat. */
function bayesian(
  metric: PhaseMetric,
  readings: ReadingsByVariant,
  { control, variant, compared }: { control: string; variant: string; compared: Comparison },
): ComparisonResult["bayesian"] {
  const { effect, standardError } = compared;
  if (effect === null || standardError === null) return null;
  const { probabilityBetter, expectedLoss } = isProportion(metric)
    ? betaBinomialContrast({
        control: proportion(readingOf(readings, control)),
        treatment: proportion(readingOf(readings, variant)),
      })
    : normalPosterior({
        estimate: effect,
        standardError,
        prior: {
          mean: 0,
          standardDeviation: 1e3 * standardError,
        },
      });
  if (probabilityBetter === null || expectedLoss === null) return null;
  return metric.direction === "increase"
    ? { probabilityBetter, expectedLoss: expectedLoss.treatment }
    : { probabilityBetter: 1 - probabilityBetter, expectedLoss: expectedLoss.control };
}

/** Where a covariate exists; θ is that of all variants together, so that every comparison is adjusted alike. */
function cupedResult(
  { phase, current }: ResultInputs,
  metric: PhaseMetric,
  variant: string,
): CupedResult | null {
  const readings = current.get(metric.key);
  if (!hasCovariate(metric) || !readings) return null;
  const theta = cupedTheta([...readings.values()].map(withCovariate));
  if (theta === null) return null;
  const adjusted = cuped({
    control: withCovariate(readingOf(readings, phase.control)),
    treatment: withCovariate(readingOf(readings, variant)),
    theta,
    level: 1 - phase.plan.alpha,
  });
  const { varianceReduction, effect: lift, standardError, pValue, confidenceInterval } = adjusted;
  if (
    varianceReduction === null ||
    lift === null ||
    standardError === null ||
    pValue === null ||
    confidenceInterval === null
  ) {
    return null;
  }
  return { theta, varianceReduction, lift, standardError, pValue, confidenceInterval };
}
