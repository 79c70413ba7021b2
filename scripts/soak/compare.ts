/** What Edgewise says it has counted and kept, line by line against what it was told. */

import * as z from "zod/mini";
import { mirrorArchive } from "../query/mirror.ts";
import { runQuery } from "../query/run-query.ts";
import { variants } from "./traffic.ts";
import type { Expected } from "./traffic.ts";

export interface Line {
  figure: string;
  expected: number;
  found: number;
}

const variantFigures = z.object({
  n: z.number(),
  sum: z.number(),
  variance: z.nullable(z.number()),
});
export const resultsAnswer = z.object({
  quality: z.object({ quarantinedUnits: z.number() }),
  metrics: z.array(
    z.object({ metric: z.string(), variants: z.record(z.string(), variantFigures) }),
  ),
});

/** Of cells. */
export function compareCells(
  { counted, quarantined }: Expected,
  { metrics, quality }: z.output<typeof resultsAnswer>,
): Line[] {
  const figures = (metric: string, variant: string) =>
    metrics.find((each) => each.metric === metric)?.variants[variant] ?? {
      n: NaN,
      sum: NaN,
      variance: null,
    };
  return [
    ...variants.flatMap((variant) => {
      const { units, purchased, revenue, squares } = counted[variant];
      const purchases = figures("purchased", variant);
      const { n, sum, variance } = figures("revenue", variant);
      // Back from the variance that is shown, for which the division by units − 1 must be undone: whole again but for rounding.
      const foundSquares = Math.round((variance ?? NaN) * (n - 1) + sum ** 2 / n);
      return [
        { figure: `${variant}: units`, expected: units, found: purchases.n },
        { figure: `${variant}: purchased`, expected: purchased, found: purchases.sum },
        { figure: `${variant}: revenue`, expected: revenue, found: sum },
        { figure: `${variant}: revenue squared`, expected: squares, found: foundSquares },
      ];
    }),
    {
      figure: "quarantined units",
      expected: quarantined,
      found: quality.quarantinedUnits,
    },
  ];
}

/** Of the archive's views, which take each identity once. */
export async function compareArchive(
  { archive, counted }: Expected,
  dataFolder: string,
): Promise<Line[]> {
  const { rows } = await runQuery(
    await mirrorArchive(dataFolder),
    `select (select count(*) from exposures), (select count(*) from outcomes), (select sum(value) from outcomes),
       (select count(*) from population where variant = 'control'),
       (select count(*) from population where variant = 'treatment')`,
  );
  const found = (rows[0] ?? []).map(Number);
  const expected: [string, number][] = [
    ["exposures", archive.exposures],
    ["outcomes", archive.outcomes],
    ["outcomes' values", archive.value],
    ["population, control", counted.control.units],
    ["population, treatment", counted.treatment.units],
  ];
  return expected.map(([name, value], i) => ({
    figure: `archive: ${name}`,
    expected: value,
    found: found[i] ?? NaN,
  }));
}
