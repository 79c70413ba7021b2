/** From one phase's figures and ledger to the answer of `GET …/results`. Pure: the same figures always give the same answer. */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type { MetricResult, Results } from "../contracts/results.ts";
import { adjustPValues } from "../stats/index.ts";
import { suspectsOf } from "./balance.ts";
import { comparisonResult } from "./comparison.ts";
import type { ResultInputs } from "./comparison.ts";
import { plannedBounds } from "./planned-bounds.ts";
import { describe, readingOf } from "./readings.ts";
import { recommend } from "./recommend.ts";
import { sampleRatio } from "./sample-ratio.ts";
import { dimensionResults } from "./segments.ts";

export function results(inputs: ResultInputs): Results {
  const { phase, asOfMs, lastEventMs } = inputs;
  const { populations, aggregates } = inputs.breakdown;
  const dimensions = dimensionResults(phase, populations, aggregates);
  const ratio = {
    ...sampleRatio(phase, inputs.units, inputs.logEvidenceBefore),
    suspects: suspectsOf(phase, dimensions, inputs.breakdown),
  };
  const metrics = adjusted(
    phase.metrics.map((metric) => metricResult(inputs, metric)),
    phase,
  );
  return {
    experiment: inputs.experiment,
    phase: phase.phase,
    status: inputs.status,
    exploratory: phase.exploratory,
    asOf: new Date(asOfMs).toISOString(),
    lastEventAt: lastEventMs === null ? null : new Date(lastEventMs).toISOString(),
    sampleRatio: ratio,
    quality: inputs.quality,
    design: design(phase),
    metrics,
    dimensions,
    recommendation: recommend(inputs, metrics, ratio),
  };
}

function design({ plan }: Phase): Results["design"] {
  const { alpha, sides, spending, maximumSampleSize, replanned, adjustment } = plan;
  return {
    alpha,
    sides,
    spending,
    adjustment: adjustment ?? "none",
    maximumSampleSize,
    replannedSampleSize: replanned?.at(-1)?.maximumSampleSize ?? null,
    looks: plannedBounds(plan),
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
