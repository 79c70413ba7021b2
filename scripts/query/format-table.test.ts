import { expect, test } from "vitest";
import { formatTable } from "./format-table.ts";

test("numbers are aligned to the right, text to the left", () => {
  const rows = [
    ["control", "9", 0.25],
    ["ü👩‍👩‍👧", "1000", -1e-7],
  ];
  expect(formatTable({ columns: ["variant", "n", "rate"], rows })).toBe(
    [
      "variant     n   rate",
      "───────  ────  ─────",
      "control     9   0.25",
      "ü👩‍👩‍👧       1000  -1e-7",
      "(2 rows)",
    ].join("\n"),
  );
});

test("what is no text is JSON, and what does not print is escaped", () => {
  const rows = [[null, true, ["a", null], "two\nlines\u0007"]];
  expect(
    formatTable({ columns: ["a", "b", "c", "d"], rows })
      .split("\n")
      .slice(2),
  ).toEqual(['null  true  ["a",null]  two\\nlines\\u0007', "(1 row)"]);
});

test("a table without rows has its columns", () => {
  expect(formatTable({ columns: ["a"], rows: [] })).toBe("a\n─\n(0 rows)");
});
