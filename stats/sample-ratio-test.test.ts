import { describe, expect, test } from "vitest";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { sampleRatioTest } from "./sample-ratio-test.ts";
import { sequentialSampleRatioTest } from "./sequential-sample-ratio-test.ts";

describe("reference vectors", () => {
  test("chi-square, expected counts and p within 1e-12", () => {
    const figures: Figure[] = [];
    for (const [i, record] of vectors.srm.entries()) {
      const result = sampleRatioTest({ observed: record.observed, weights: record.ratio });
      figures.push(
        [`${i} statistic`, result.statistic, record.chisq],
        [`${i} df`, result.degreesOfFreedom, record.df],
        [`${i} p`, result.pValue, record.p],
        ...series(`${i} expected`, result.expected, record.expected),
      );
    }
    expect(outside(figures, { relative: 1e-12 })).toEqual([]);
  });

  test("multinomial e-process within 1e-7 (here 1e-10)", () => {
    const figures: Figure[] = [];
    for (const [i, record] of vectors.srmSequential.entries()) {
      const { logEvidence, pValue } = sequentialSampleRatioTest({
        observed: record.counts,
        weights: record.share,
        concentration: record.concentrationTotal,
      });
      figures.push(
        [`${i} evidence`, logEvidence, record.logEvalue],
        [`${i} p`, pValue, record.pAlwaysValidInstant],
      );
    }
    expect(outside(figures, { relative: 1e-10 })).toEqual([]);
  });
});

test("1,002,000 against 987,000 is χ² = 113.12 and never prints p = 0", () => {
  const result = sampleRatioTest({ observed: [1_002_000, 987_000], weights: [50, 50] });
  expect(result.statistic).toBeCloseTo(113.12217, 5);
  expect(result.pValue).toBeGreaterThan(2e-26);
  expect(result.pValue).toBeLessThan(2.1e-26);
});
