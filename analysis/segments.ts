/**
 * Each metric by the standing dimensions, on *current* data: adjusted for all of them together, never deciding. Segments are where an effect may be
 * looked for again, not where it was found.
 */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type {
  DimensionResult,
  Paradox,
  Segment,
  SegmentComparison,
} from "../contracts/segments.ts";
import type { Aggregate, Population } from "../counting/aggregate.ts";
import { adjustPValues } from "../stats/index.ts";
import { balanceOf } from "./balance.ts";
import { compare, tooLittle } from "./readings.ts";
import type { Reading, ReadingsByVariant } from "./readings.ts";

/** What an answer takes in the database is bounded. */
const mostComparisons = 2_000;

export function dimensionResults(
  phase: Phase,
  populations: readonly Population[],
  aggregates: readonly Aggregate[],
): DimensionResult[] {
  const treatments = phase.variants.length - 1;
  const perValue = phase.dimensions.length * phase.metrics.length * treatments;
  const mostValues = Math.max(1, Math.floor(mostComparisons / Math.max(1, perValue)));
  const byPlace = new Map<string, Map<string, Reading>>();
  for (const aggregate of aggregates) {
    const place = placeOf(aggregate.dimension, aggregate.value, aggregate.metric);
    const variants = byPlace.get(place) ?? new Map<string, Reading>();
    byPlace.set(place, variants.set(aggregate.variant, aggregate));
  }
  const readings = (dimension: string, value: string, metric: string): ReadingsByVariant =>
    byPlace.get(placeOf(dimension, value, metric)) ?? new Map();
  const results = phase.dimensions.map((dimension): DimensionResult => {
    const balance = balanceOf(
      phase,
      populations.filter((row) => row.dimension === dimension),
    );
    const shown = balance.values.slice(0, mostValues);
    return {
      dimension,
      balance,
      segments: shown.map(({ value, observed }) => ({
        value,
        units: observed,
        comparisons: phase.metrics.flatMap((metric) =>
          segmentComparisons(phase, metric, readings(dimension, value, metric.key)),
        ),
      })),
      paradoxes: phase.metrics.flatMap((metric) =>
        paradoxes(phase, metric, {
          overall: readings("", "", metric.key),
          strata: balance.values.map(({ value }) => readings(dimension, value, metric.key)),
        }),
      ),
    };
  });
  return adjusted(results);
}

/** Unambiguous, because only the last part is free text. */
function placeOf(dimension: string, value: string, metric: string): string {
  return `${metric}\u001F${dimension}\u001F${value}`;
}

function treatmentsOf({ variants, control }: Phase): string[] {
  return variants.map(({ variant }) => variant).filter((variant) => variant !== control);
}

const nobody: Reading = { n: 0, sums: { y: 0, yy: 0, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 } };

function segmentComparisons(
  phase: Phase,
  metric: PhaseMetric,
  readings: ReadingsByVariant,
): SegmentComparison[] {
  const { control } = phase;
  return treatmentsOf(phase).map((variant) => {
    const pair = [readings.get(control) ?? nobody, readings.get(variant) ?? nobody];
    const level = 1 - phase.plan.alpha;
    const found =
      tooLittle(metric, pair) === null
        ? compare(metric, readings, { control, treatment: variant, level })
        : null;
    return {
      metric: metric.key,
      variant,
      lift: found?.effect ?? null,
      relativeLift: found?.relativeEffect ?? null,
      pValue: found?.pValue ?? null,
      adjustedPValue: null,
      confidenceInterval: found?.confidenceInterval ?? null,
    };
  });
}

function adjusted(results: readonly DimensionResult[]): DimensionResult[] {
  const all = results.flatMap(({ segments }) => segments.flatMap(({ comparisons }) => comparisons));
  const values = adjustPValues(
    all.map(({ pValue }) => pValue),
    "benjamini-hochberg",
  );
  const byComparison = new Map(all.map((comparison, index) => [comparison, values[index] ?? null]));
  const withAdjusted = (segment: Segment): Segment => ({
    ...segment,
    comparisons: segment.comparisons.map((comparison) => ({
      ...comparison,
      adjustedPValue: byComparison.get(comparison) ?? null,
    })),
  });
  return results.map((result) => ({ ...result, segments: result.segments.map(withAdjusted) }));
}

/** The effect overall and the one within strata point in opposite directions, and one of them is more than chance. */
function paradoxes(
  phase: Phase,
  metric: PhaseMetric,
  { overall, strata }: { overall: ReadingsByVariant; strata: readonly ReadingsByVariant[] },
): Paradox[] {
  const { control, plan } = phase;
  const level = 1 - plan.alpha;
  return treatmentsOf(phase).flatMap((variant) => {
    const names = { control, treatment: variant, level };
    const whole = compare(metric, overall, names);
    const parts = strata.flatMap((readings) => {
      const { effect, standardError } = compare(metric, readings, names);
      const n = (readings.get(control)?.n ?? 0) + (readings.get(variant)?.n ?? 0);
      return effect === null || standardError === null ? [] : [{ effect, standardError, n }];
    });
    const n = parts.reduce((sum, part) => sum + part.n, 0);
    if (parts.length < 2 || whole.effect === null || whole.standardError === null) return [];
    const stratified = parts.reduce((sum, part) => sum + (part.n / n) * part.effect, 0);
    const error = Math.sqrt(
      parts.reduce((sum, part) => sum + ((part.n / n) * part.standardError) ** 2, 0),
    );
    const isOpposite = Math.sign(stratified) * Math.sign(whole.effect) < 0;
    const isClear =
      Math.abs(stratified) > 2 * error || Math.abs(whole.effect) > 2 * whole.standardError;
    return isOpposite && isClear
      ? [{ metric: metric.key, variant, overall: whole.effect, stratified }]
      : [];
  });
}
