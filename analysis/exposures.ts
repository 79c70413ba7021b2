/** Exposed units of a phase by variant: in all, by UTC day of first exposure, and by each value of the standing dimensions and of how they came. */

import type { Phase } from "../contracts/phase.ts";
import { populationsOf } from "../counting/aggregate.ts";
import type { CohortRows } from "../counting/aggregate.ts";
import { originDimensions } from "../counting/dimensions.ts";
import { unitsByDay } from "./balance.ts";

export interface Exposures {
  units: Record<string, number>;
  /** In order; days without anybody are left out. */
  days: { day: string; units: Record<string, number> }[];
  /** Values by their units, most first. */
  dimensions: { dimension: string; values: { value: string; units: Record<string, number> }[] }[];
}

export function exposures({ variants, dimensions }: Phase, rows: CohortRows): Exposures {
  const names = variants.map(({ variant }) => variant);
  const complete = (units: ReadonlyMap<string, number>) =>
    Object.fromEntries(names.map((name) => [name, units.get(name) ?? 0]));
  const total = (units: Record<string, number>) =>
    Object.values(units).reduce((sum, n) => sum + n, 0);
  const populations = populationsOf(rows);
  const unitsOf = (dimension: string, value: string) =>
    complete(
      new Map(
        populations
          .filter((row) => row.dimension === dimension && row.value === value)
          .map(({ variant, n }) => [variant, n]),
      ),
    );
  return {
    units: unitsOf("", ""),
    days: [...unitsByDay(rows)]
      .map(([day, units]) => ({ day, units: complete(units) }))
      .toSorted((a, b) => (a.day < b.day ? -1 : 1)),
    dimensions: [...dimensions, ...originDimensions].map((dimension) => {
      const values = new Set(
        populations.filter((row) => row.dimension === dimension).map(({ value }) => value),
      );
      return {
        dimension,
        values: [...values]
          .map((value) => ({ value, units: unitsOf(dimension, value) }))
          .toSorted((a, b) => total(b.units) - total(a.units)),
      };
    }),
  };
}
