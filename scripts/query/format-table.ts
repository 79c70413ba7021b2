/** Rows as text in columns, for a terminal: numbers to the right, what does not print escaped. */

import type { Table } from "./run-query.ts";

type Value = Table["rows"][number][number];

const unprintable = /\p{Cc}/gu;
const segmenter = new Intl.Segmenter();
const number = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

export function formatTable({ columns, rows }: Table): string {
  const cells = rows.map((row) => row.map(textOf));
  const widths = columns.map((name, i) =>
    Math.max(lengthOf(name), ...cells.map((row) => lengthOf(row[i] ?? ""))),
  );
  const isNumeric = columns.map(
    (_, i) => cells.length > 0 && cells.every((row) => number.test(row[i] ?? "")),
  );
  const line = (values: readonly string[]) =>
    values
      .map((value, i) => {
        const padding = " ".repeat((widths[i] ?? 0) - lengthOf(value));
        return isNumeric[i] ? padding + value : value + padding;
      })
      .join("  ")
      .trimEnd();
  const count = `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [line(columns), rule, ...cells.map(line), count].join("\n");
}

function textOf(value: Value): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(unprintable, (character) => JSON.stringify(character).slice(1, -1));
}

function lengthOf(text: string): number {
  return [...segmenter.segment(text)].length;
}
