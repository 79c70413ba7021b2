/** A first reading of the file: what it holds, before anything is created or sent. */

import { readRows } from "./read-rows.ts";
import type { Columns, Nonsense } from "./read-rows.ts";

export interface Survey {
  rows: number;
  /** Rows by variant, in order of first appearance. */
  variants: ReadonlyMap<string, number>;
  /** By metric: a column of nothing but 0 and 1 converts, any other has a mean. */
  types: ReadonlyMap<string, "proportion" | "mean">;
  nonsense: Nonsense[];
}

export async function survey(file: string, columns: Columns): Promise<Survey> {
  const variants = new Map<string, number>();
  const means = new Set<number>();
  const nonsense: Nonsense[] = [];
  let rows = 0;
  for await (const reading of readRows(file, columns)) {
    if ("nonsense" in reading) {
      nonsense.push(reading.nonsense);
      continue;
    }
    const { variant, values } = reading.row;
    rows += 1;
    variants.set(variant, (variants.get(variant) ?? 0) + 1);
    values.forEach((value, index) => {
      if (value !== 0 && value !== 1) means.add(index);
    });
  }
  return {
    rows,
    variants,
    nonsense,
    types: new Map(
      [...columns.metrics.keys()].map((metric, index) => [
        metric,
        means.has(index) ? "mean" : "proportion",
      ]),
    ),
  };
}
