import { describe, expect, test } from "vitest";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import { cuped, cupedTheta } from "./cuped.ts";
import { moments } from "./moments.ts";
import { normal } from "./normal.ts";
import { pairedMoments } from "./paired-moments.ts";
import { ratioTest } from "./ratio-test.ts";
import { studentT } from "./student-t.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import { welchTest } from "./welch-test.ts";

const zip = (y: readonly number[], x: readonly number[]): [number, number][] =>
  y.map((value, i) => [value, x[i] ?? NaN]);

describe("reference vectors", () => {
  test("Welch's test from raw values, mean/sd above 1e5 included, within 1e-9", () => {
    const figures = vectors.welch.flatMap((record, i): Figure[] => {
      const data = {
        control: moments.summary(moments.from(record.a)),
        treatment: moments.summary(moments.from(record.b)),
      };
      const at95 = welchTest(data);
      const at99 = welchTest({ ...data, level: 0.99 });
      const t = at95.statistic ?? NaN;
      const df = at95.degreesOfFreedom ?? NaN;
      return [
        [`${i} mean`, data.control.mean, record.meanA],
        [`${i} variance`, data.treatment.variance, record.varB],
        [`${i} effect`, at95.effect ?? null, record.estimateBminusA],
        [`${i} se`, at95.standardError ?? null, record.se],
        [`${i} t`, t, record.t],
        [`${i} df`, df, record.df],
        [`${i} p`, at95.pValue ?? null, record.p],
        [`${i} greater`, studentT.sf(t, df), record.pGreater],
        [`${i} less`, studentT.cdf(t, df), record.pLess],
        [`${i} lower`, at95.confidenceInterval?.[0] ?? null, record["ci_0.95"][0] ?? NaN],
        [`${i} upper`, at95.confidenceInterval?.[1] ?? null, record["ci_0.95"][1] ?? NaN],
        [`${i} lower 99`, at99.confidenceInterval?.[0] ?? null, record["ci_0.99"][0] ?? NaN],
        [`${i} upper 99`, at99.confidenceInterval?.[1] ?? null, record["ci_0.99"][1] ?? NaN],
        [`${i} z`, 2 * normal.sf(Math.abs(at95.z ?? NaN)), record.p],
      ];
    });
    expect(outside(figures, { relative: 1e-9, absolute: 1e-9 })).toEqual([]);
  });

  test("Welch's test from summaries within 1e-11", () => {
    const figures = vectors.welchSummary.flatMap((record, i): Figure[] => {
      const test = welchTest({
        control: { n: record.nA, mean: record.meanA, variance: record.varA },
        treatment: { n: record.nB, mean: record.meanB, variance: record.varB },
      });
      return [
        [`${i} se`, test.standardError ?? null, record.se],
        [`${i} t`, test.statistic ?? null, record.t],
        [`${i} df`, test.degreesOfFreedom ?? null, record.df],
        [`${i} p`, test.pValue ?? null, record.p],
        [`${i} lower`, test.confidenceInterval?.[0] ?? null, record.ci95[0] ?? NaN],
        [`${i} upper`, test.confidenceInterval?.[1] ?? null, record.ci95[1] ?? NaN],
        [`${i} lift`, test.relativeEffect, record.relLift],
        [`${i} lift se`, test.relativeStandardError, record.relSeDelta],
      ];
    });
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });

  test("two proportions within 1e-10", () => {
    const figures = vectors.twoProp.flatMap((record, i): Figure[] => {
      const test = twoProportionTest({
        control: { n: record.nA, successes: record.xA },
        treatment: { n: record.nB, successes: record.xB },
      });
      return [
        [`${i} effect`, test.effect ?? null, record.diff],
        [`${i} z`, test.statistic ?? null, record.zPooled],
        [`${i} p`, test.pValue ?? null, record.pPooled],
        [`${i} se`, test.standardError ?? null, record.seUnpooled],
        [`${i} lower`, test.confidenceInterval?.[0] ?? null, record.ci95Unpooled[0] ?? NaN],
        [`${i} upper`, test.confidenceInterval?.[1] ?? null, record.ci95Unpooled[1] ?? NaN],
        [`${i} lift`, test.relativeEffect, record.relLift],
        [`${i} lift se`, test.relativeStandardError, record.relSeDelta],
      ];
    });
    expect(outside(figures, { relative: 1e-10 })).toEqual([]);
  });

  test("ratio metrics within 1e-11", () => {
    const figures = vectors.ratio.flatMap((record, i): Figure[] => {
      const test = ratioTest({
        control: pairedMoments.summary(pairedMoments.from(zip(record.numA, record.denA))),
        treatment: pairedMoments.summary(pairedMoments.from(zip(record.numB, record.denB))),
      });
      const { A } = record;
      const fromTotals = ratioTest({
        control: pairedMoments.summary(
          pairedMoments.fromSums({
            n: A.n,
            sumY: A.sumNum,
            sumOfSquaresY: A.sumNum2,
            sumX: A.sumDen,
            sumOfSquaresX: A.sumDen2,
            sumOfProducts: A.sumNumDen,
          }),
        ),
        treatment: pairedMoments.summary(pairedMoments.from(zip(record.numB, record.denB))),
      });
      return [
        [`${i} effect`, test.effect ?? null, record.diff],
        [`${i} se`, test.standardError ?? null, record.se],
        [`${i} se from totals`, fromTotals.standardError ?? null, record.se],
        [`${i} z`, test.statistic ?? null, record.z],
        [`${i} p`, test.pValue ?? null, record.p],
        [`${i} lift`, test.relativeEffect, record.relLift],
        [`${i} lift se`, test.relativeStandardError, record.relSe],
      ];
    });
    expect(outside(figures, { relative: 1e-11 })).toEqual([]);
  });
});

describe("moments are taken as they are", () => {
  const y = [3, 5, 8, 13, 21];
  const x = [1, 1, 2, 3, 5];
  const single = { control: moments.from(y), treatment: moments.from([4, 9, 16, 25]) };
  const paired = {
    control: pairedMoments.from(zip(y, x)),
    treatment: pairedMoments.from(zip([4, 9, 16, 25], [2, 3, 4, 6])),
  };
  const summaries = {
    control: pairedMoments.summary(paired.control),
    treatment: pairedMoments.summary(paired.treatment),
  };

  test("by Welch's test", () => {
    expect(welchTest(single)).toEqual(
      welchTest({
        control: moments.summary(single.control),
        treatment: moments.summary(single.treatment),
      }),
    );
  });

  test("by CUPED and its theta", () => {
    expect(cuped(paired)).toEqual(cuped(summaries));
    expect(cupedTheta(Object.values(paired))).toBe(cupedTheta(Object.values(summaries)));
  });

  test("by the ratio test", () => {
    expect(ratioTest(paired)).toEqual(ratioTest(summaries));
  });
});
