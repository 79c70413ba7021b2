/** One metric's sufficient statistics by variant, and the test that its type calls for. */

import type { PhaseMetric } from "../contracts/phase.ts";
import type { VariantResult } from "../contracts/results.ts";
import type { Aggregate, CohortRow, CohortRows } from "../counting/aggregate.ts";
import type { CellSums } from "../counting/types.ts";
import { moments, pairedMoments, ratioTest, twoProportionTest, welchTest } from "../stats/index.ts";
import type { Comparison, PairedSums, PairedSummary } from "../stats/index.ts";

export interface Reading {
  n: number;
  sums: CellSums;
}

export type ReadingsByVariant = ReadonlyMap<string, Reading>;

const nothing: Reading = { n: 0, sums: { y: 0, yy: 0, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 } };

/** Without the segments. */
export function allUnits({ populations, cells }: CohortRows): CohortRows {
  const isOverall = ({ dimension }: CohortRow) => dimension === "";
  return { populations: populations.filter(isOverall), cells: cells.filter(isOverall) };
}

/** Every variant has a reading, of nothing where nobody was exposed. */
export function readingsOf(
  metric: string,
  variants: readonly string[],
  aggregates: readonly Aggregate[],
): ReadingsByVariant {
  const overall = aggregates.filter((row) => row.metric === metric && row.dimension === "");
  return new Map(
    variants.map((variant) => [variant, overall.find((row) => row.variant === variant) ?? nothing]),
  );
}

export function readingOf(readings: ReadingsByVariant, variant: string): Reading {
  return readings.get(variant) ?? nothing;
}

export function isProportion(metric: Pick<PhaseMetric, "type">): boolean {
  return metric.type === "proportion" || metric.type === "retention";
}

/** A ratio's mean is the ratio of the sums, its variance that of the linearised unit (delta method). */
export function describe(metric: PhaseMetric, reading: Reading): VariantResult {
  const { n, sums } = reading;
  if (n === 0) return { n, mean: null, variance: null, sum: sums.y };
  if (metric.type === "ratio") {
    const { meanY, meanX, varianceY, varianceX, covariance } = overDenominator(reading);
    if (meanX === 0) return { n, mean: null, variance: null, sum: sums.y };
    const ratio = meanY / meanX;
    const linearised = varianceY - 2 * ratio * covariance + ratio ** 2 * varianceX;
    return { n, mean: ratio, variance: Math.max(0, linearised) / meanX ** 2, sum: sums.y };
  }
  if (isProportion(metric)) {
    const rate = sums.y / n;
    return { n, mean: rate, variance: rate * (1 - rate), sum: sums.y };
  }
  const { mean, variance } = summary(reading);
  return { n, mean, variance, sum: sums.y };
}

/** An estimate from less than this is a guess. */
const leastUnits = 50;
const leastConversions = 5;

/** Why nothing is estimated from these variants; null when there is enough. */
export function tooLittle(
  metric: Pick<PhaseMetric, "type">,
  readings: readonly Reading[],
): string | null {
  if (readings.some(({ n }) => n < leastUnits)) {
    return `A variant has fewer than ${leastUnits} units.`;
  }
  return isProportion(metric) && readings.some(({ sums }) => sums.y < leastConversions)
    ? `A variant has fewer than ${leastConversions} conversions.`
    : null;
}

/** @param level of the intervals */
export function compare(
  metric: PhaseMetric,
  readings: ReadingsByVariant,
  { control, treatment, level }: { control: string; treatment: string; level: number },
): Comparison {
  const a = readingOf(readings, control);
  const b = readingOf(readings, treatment);
  if (isProportion(metric)) {
    return twoProportionTest({ control: proportion(a), treatment: proportion(b), level });
  }
  return metric.type === "ratio"
    ? ratioTest({ control: overDenominator(a), treatment: overDenominator(b), level })
    : welchTest({ control: summary(a), treatment: summary(b), level });
}

export function proportion({ n, sums }: Reading) {
  return { n, successes: Math.round(sums.y) };
}

function summary({ n, sums }: Reading) {
  return moments.summary(moments.fromSums({ n, sum: sums.y, sumOfSquares: sums.yy }));
}

/** y over its denominator. */
function overDenominator({ n, sums }: Reading): PairedSummary {
  return paired({ n, sums }, { sumX: sums.d, sumOfSquaresX: sums.dd, sumOfProducts: sums.yd });
}

/** y with its covariate. */
export function withCovariate({ n, sums }: Reading): PairedSummary {
  return paired({ n, sums }, { sumX: sums.x, sumOfSquaresX: sums.xx, sumOfProducts: sums.xy });
}

function paired(
  { n, sums }: Reading,
  other: Pick<PairedSums, "sumX" | "sumOfSquaresX" | "sumOfProducts">,
): PairedSummary {
  const totals = { n, sumY: sums.y, sumOfSquaresY: sums.yy, ...other };
  return pairedMoments.summary(pairedMoments.fromSums(totals));
}
