/** From one phase's figures and ledger to the answer of `GET …/results`. Pure: the same figures always give the same answer. */

import type { ExperimentStatus, Phase, PhaseMetric } from "../contracts/phase.ts";
import type { ComparisonResult, MetricResult, Results } from "../contracts/results.ts";
import { plannedFractions } from "../control/resolve-plan.ts";
import {
  adjustPValues,
  asymptoticConfidenceSequence,
  betaBinomialPosterior,
  groupSequentialBounds,
  normalPosterior,
} from "../stats/index.ts";
import type { Comparison } from "../stats/index.ts";
import type { LedgerRow } from "./ledger.ts";
import { compare, describe, isProportion, proportion, readingOf } from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";
import { recommend } from "./recommend.ts";
import { sampleRatio } from "./sample-ratio.ts";
import { sequentialResult } from "./sequential.ts";

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
  /** Oldest first. */
  ledger: readonly LedgerRow[];
  /** Largest log evidence of a sample-ratio mismatch at earlier refreshes. */
  logEvidenceBefore: number;
}

export function results(inputs: ResultInputs): Results {
  const { phase, asOfMs, lastEventMs } = inputs;
  const ratio = sampleRatio(phase, inputs.units, inputs.logEvidenceBefore);
  const metrics = adjusted(
    phase.metrics.map((metric) => metricResult(inputs, metric)),
    phase,
  );
  return {
    experiment: inputs.experiment,
    phase: phase.phase,
    status: inputs.status,
    asOf: new Date(asOfMs).toISOString(),
    lastEventAt: lastEventMs === null ? null : new Date(lastEventMs).toISOString(),
    sampleRatio: ratio,
    quality: inputs.quality,
    design: design(phase),
    metrics,
    recommendation: recommend(phase, metrics, ratio),
  };
}

function design({ plan }: Phase): Results["design"] {
  const { alpha, ledgerAlpha, sides, spending, maximumSampleSize, looks } = plan;
  const fractions = plannedFractions(looks);
  const { upper } = groupSequentialBounds({ fractions, alpha: ledgerAlpha, sides, spending });
  return {
    alpha,
    sides,
    spending,
    maximumSampleSize,
    looks: fractions.map((informationFraction, index) => ({
      look: index + 1,
      informationFraction,
      boundary: finiteOrNull(upper[index] ?? Infinity),
    })),
  };
}

function metricResult(inputs: ResultInputs, metric: PhaseMetric): MetricResult {
  const { phase, current } = inputs;
  const readings = current.get(metric.key) ?? new Map();
  const variants = phase.variants.map(({ variant }) => variant);
  return {
    metric: metric.key,
    role: metric.role,
    type: metric.type,
    variants: Object.fromEntries(
      variants.map((variant) => [variant, describe(metric, readingOf(readings, variant))]),
    ),
    comparisons: variants
      .filter((variant) => variant !== phase.control)
      .map((variant) => comparisonResult(inputs, metric, variant)),
  };
}

function comparisonResult(
  inputs: ResultInputs,
  metric: PhaseMetric,
  variant: string,
): ComparisonResult {
  const { phase, current, asOfMs } = inputs;
  const readings: ReadingsByVariant = current.get(metric.key) ?? new Map();
  const compared = compare(metric, readings, {
    control: phase.control,
    treatment: variant,
    level: 1 - phase.plan.alpha,
  });
  const rows = inputs.ledger.filter((row) => row.metric === metric.key && row.variant === variant);
  return {
    variant,
    basis: "fixed-sample",
    betweenLooks: rows.at(-1)?.takenAtMs !== asOfMs,
    lift: compared.effect,
    relativeLift: compared.relativeEffect,
    standardError: compared.standardError,
    statistic: compared.statistic,
    pValue: compared.pValue,
    adjustedPValue: null,
    confidenceInterval: compared.confidenceInterval,
    relativeConfidenceInterval: compared.relativeConfidenceInterval,
    cuped: null,
    sequential: metric.role === "primary" ? sequentialResult(phase, metric, rows) : null,
    alwaysValid: metric.role === "guardrail" ? alwaysValid(inputs, metric, variant) : null,
    bayesian: bayesian(metric, readings, { control: phase.control, variant, compared }),
  };
}

/**
 * Guardrails: on matured units, at alpha / (guardrails × treatments). Tuned to a tenth of the plan, which is fixed before the data,
 * because harm should be noticed early.
 */
function alwaysValid(
  { phase, matured }: ResultInputs,
  metric: PhaseMetric,
  variant: string,
): ComparisonResult["alwaysValid"] {
  const guardrails = phase.metrics.filter(({ role }) => role === "guardrail").length;
  const alpha = phase.plan.alpha / (guardrails * (phase.variants.length - 1));
  const readings: ReadingsByVariant = matured.get(metric.key) ?? new Map();
  const names = { control: phase.control, treatment: variant };
  const { effect, standardError } = compare(metric, readings, { ...names, level: 1 - alpha });
  if (effect === null || standardError === null) return null;
  const { pValue, confidenceInterval } = asymptoticConfidenceSequence({
    estimate: effect,
    standardError,
    alpha,
    n: readingOf(readings, phase.control).n + readingOf(readings, variant).n,
    plannedN: Math.ceil(phase.plan.maximumSampleSize / 10),
  });
  return pValue === null || confidenceInterval === null
    ? null
    : { pValue, confidenceSequence: confidenceInterval };
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
    ? betaBinomialPosterior({
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

/** Primaries share alpha over their ledgers; secondaries are controlled for false discoveries within each variant. */
function adjusted(
  metrics: readonly MetricResult[],
  { plan, variants, control }: Phase,
): MetricResult[] {
  const ledgers = Math.round(plan.alpha / plan.ledgerAlpha);
  const secondary = new Map(
    variants
      .filter(({ variant }) => variant !== control)
      .map(({ variant }) => {
        const tests = metrics.flatMap(({ role, metric, comparisons }) =>
          role === "secondary"
            ? comparisons
                .filter((comparison) => comparison.variant === variant)
                .map(({ pValue }) => ({ metric, pValue }))
            : [],
        );
        const values = adjustPValues(
          tests.map(({ pValue }) => pValue),
          "benjamini-hochberg",
        );
        return [
          variant,
          new Map(tests.map(({ metric }, index) => [metric, values[index] ?? null])),
        ];
      }),
  );
  return metrics.map((metric) => ({
    ...metric,
    comparisons: metric.comparisons.map((comparison) => {
      const { pValue, variant } = comparison;
      const bonferroni = pValue === null ? null : Math.min(1, pValue * ledgers);
      const discovery = secondary.get(variant)?.get(metric.metric) ?? null;
      const adjustedPValue =
        metric.role === "primary" ? bonferroni : metric.role === "secondary" ? discovery : null;
      return { ...comparison, adjustedPValue };
    }),
  }));
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
