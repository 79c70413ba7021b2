import { expect, test } from "vitest";
import { adjustPValues } from "./adjust-p-values.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };

test("reference vectors: Bonferroni, Holm, Hochberg and Benjamini–Hochberg as p.adjust, within 1e-14", () => {
  const figures: Figure[] = [];
  for (const [i, record] of vectors.padjust.entries()) {
    const p = [record.p].flat();
    figures.push(
      ...series(`${i} bonferroni`, adjustPValues(p, "bonferroni"), [record.bonferroni].flat()),
      ...series(`${i} holm`, adjustPValues(p, "holm"), [record.holm].flat()),
      ...series(`${i} hochberg`, adjustPValues(p, "hochberg"), [record.hochberg].flat()),
      ...series(`${i} BH`, adjustPValues(p, "benjamini-hochberg"), [record.BH].flat()),
    );
  }
  expect(outside(figures, { absolute: 1e-14 })).toEqual([]);
});

test("metrics without a result stay null and are not counted", () => {
  expect(adjustPValues([0.01, null, 0.04], "bonferroni")).toEqual([0.02, null, 0.08]);
  expect(adjustPValues([null], "holm")).toEqual([null]);
  expect(adjustPValues([], "benjamini-hochberg")).toEqual([]);
});
