/**
 * Whether each value of a dimension, and each day, has the planned shares of variants: what a sample-ratio mismatch comes from.
 * Adjusted for the number of values; not for being read often, so it points at a cause and decides nothing.
 */

import type { Phase } from "../contracts/phase.ts";
import type { Balance, BalanceValue, Suspect } from "../contracts/segments.ts";
import type { CohortRows, Population } from "../counting/aggregate.ts";
import { originDimensions } from "../counting/dimensions.ts";
import { adjustPValues, chiSquare, sampleRatioTest } from "../stats/index.ts";

const dayHours = 24;
const leastExpected = 5;
/** Adjusted p-values below this are named. */
const suspicious = 0.05;

type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** @param populations of one dimension */
export function balanceOf(phase: Phase, populations: readonly Population[]): Balance {
  const counts = countsOf(populations);
  return { pValue: independence(phase, counts), values: valuesOf(phase, counts) };
}

function countsOf(populations: readonly Population[]): Counts {
  return new Map(
    [...Map.groupBy(populations, ({ value }) => value)].map(([value, rows]) => [
      value,
      new Map(rows.map(({ variant, n }) => [variant, n])),
    ]),
  );
}

/**
 * Those that are farthest off first, of whatever dimension: what loses units shows more where it is than in all that it is a part of.
 * A dimension of one value is all units, and points nowhere.
 */
export function suspectsOf(
  phase: Phase,
  balances: readonly { dimension: string; balance: Pick<Balance, "values"> }[],
  { rows, populations }: { rows: CohortRows; populations: readonly Population[] },
): Suspect[] {
  const origins = originDimensions.map((dimension) => {
    const ofDimension = populations.filter((row) => row.dimension === dimension);
    return { dimension, balance: { values: valuesOf(phase, countsOf(ofDimension)) } };
  });
  const days = { dimension: "day", balance: { values: valuesOf(phase, unitsByDay(rows)) } };
  return [...balances, ...origins, days]
    .filter(({ balance }) => balance.values.length > 1)
    .flatMap(({ dimension, balance }) =>
      balance.values.flatMap(({ value, observed, pValue, adjustedPValue }) =>
        pValue !== null && adjustedPValue !== null && adjustedPValue < suspicious
          ? [{ dimension, value, observed, pValue, adjustedPValue }]
          : [],
      ),
    )
    .map((suspect) => ({ suspect, distance: distanceOf(phase, suspect) }))
    .toSorted((a, b) => b.distance - a.distance)
    .map(({ suspect }) => suspect);
}

/** χ², of as many degrees of freedom for each: p-values so small are all 0. */
function distanceOf({ variants }: Phase, { observed }: Suspect): number {
  const { statistic } = sampleRatioTest({
    observed: variants.map(({ variant }) => observed[variant] ?? 0),
    weights: variants.map(({ weightBasisPoints }) => weightBasisPoints),
  });
  return statistic ?? 0;
}

export function unitsByDay({ populations }: CohortRows): Counts {
  const days = new Map<string, Map<string, number>>();
  for (const { dimension, variant, cohortStart, n } of populations) {
    if (dimension !== "") continue;
    const day = new Date(Math.floor(cohortStart / dayHours) * dayHours * 3_600_000);
    const name = day.toISOString().slice(0, 10);
    const units = days.get(name) ?? new Map<string, number>();
    units.set(variant, (units.get(variant) ?? 0) + n);
    days.set(name, units);
  }
  return days;
}

/** Most units first. */
function valuesOf({ variants }: Phase, counts: Counts): BalanceValue[] {
  const weights = variants.map(({ weightBasisPoints }) => weightBasisPoints);
  const least = Math.min(...weights) / 10_000;
  const tested = [...counts]
    .map(([value, units]) => {
      const observed = variants.map(({ variant }) => units.get(variant) ?? 0);
      const n = observed.reduce((sum, each) => sum + each, 0);
      const { pValue } = sampleRatioTest({ observed, weights });
      return { value, observed, n, pValue: n * least >= leastExpected ? pValue : null };
    })
    .toSorted((a, b) => b.n - a.n);
  const adjusted = adjustPValues(
    tested.map(({ pValue }) => pValue),
    "holm",
  );
  return tested.map(({ value, observed, pValue }, index) => ({
    value,
    observed: Object.fromEntries(variants.map(({ variant }, i) => [variant, observed[i] ?? 0])),
    pValue,
    adjustedPValue: adjusted[index] ?? null,
  }));
}

/** Pearson's χ² of a table of values by variants; of values large enough for it. */
function independence({ variants }: Phase, counts: Counts): number | null {
  const names = variants.map(({ variant }) => variant);
  const table = [...counts.values()].map((units) => names.map((name) => units.get(name) ?? 0));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const all = sum(table.map(sum));
  const shares = names.map((_, column) => sum(table.map((row) => row[column] ?? 0)) / all);
  const rows = table.filter((row) => sum(row) * Math.min(...shares) >= leastExpected);
  if (rows.length < 2) return null;
  const kept = sum(rows.map(sum));
  // A variant may have units in small values alone.
  const columns = names.flatMap((_, column) => {
    const share = sum(rows.map((row) => row[column] ?? 0)) / kept;
    return share > 0 ? [{ column, share }] : [];
  });
  if (columns.length < 2) return null;
  const statistic = sum(
    rows.map((row) =>
      sum(
        columns.map(({ column, share }) => {
          const expected = sum(row) * share;
          return ((row[column] ?? 0) - expected) ** 2 / expected;
        }),
      ),
    ),
  );
  return chiSquare.sf(statistic, (rows.length - 1) * (columns.length - 1));
}
