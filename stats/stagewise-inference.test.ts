import { expect, test } from "vitest";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { normal } from "./normal.ts";
import { stagewiseInference } from "./stagewise-inference.ts";

test("reference vectors: p within 1e-7, median-unbiased drift and interval within 1e-5 (here 1e-10)", () => {
  const figures = vectors.stagewise.flatMap((record): Figure[] => {
    const result = stagewiseInference({
      ...referenceDesign(record.design),
      stopLook: record.stopLook,
      z: record.z,
      level: record.ciLevel,
    });
    return [
      [`${record.id} p`, result.pValue, record.p],
      [`${record.id} pUpper`, result.pUpper, record.pUpper],
      [`${record.id} pLower`, result.pLower, record.pLower],
      [`${record.id} median`, result.medianUnbiased, record.medianUnbiased],
      [`${record.id} lower`, result.confidenceInterval[0], record.ciLower],
      [`${record.id} upper`, result.confidenceInterval[1], record.ciUpper],
    ];
  });
  expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
});

const DESIGN = {
  fractions: [0.2, 0.45, 0.5, 0.8, 1],
  alpha: 0.05,
  sides: 2,
  spending: "pocock",
} as const;

test("stopped at look 1 it is the ordinary interval: estimate give or take z", () => {
  const bounds = groupSequentialBounds(DESIGN);
  const { confidenceInterval, medianUnbiased, pValue } = stagewiseInference({
    ...DESIGN,
    ...bounds,
    stopLook: 1,
    z: 3.1,
    level: 0.95,
  });
  const root = Math.sqrt(0.2);
  const half = normal.quantile(0.975);
  expect(medianUnbiased).toBeCloseTo(3.1 / root, 9);
  expect(confidenceInterval[0]).toBeCloseTo((3.1 - half) / root, 9);
  expect(confidenceInterval[1]).toBeCloseTo((3.1 + half) / root, 9);
  expect(pValue).toBeCloseTo(2 * normal.sf(3.1), 14);
});

test("mirror symmetric in the sign of z at every look", () => {
  const bounds = groupSequentialBounds(DESIGN);
  for (let stopLook = 1; stopLook <= 5; stopLook++) {
    const at = (z: number): ReturnType<typeof stagewiseInference> =>
      stagewiseInference({ ...DESIGN, ...bounds, stopLook, z, level: 0.9 });
    const above = at(2.6);
    const below = at(-2.6);
    expect(below.pValue).toBeCloseTo(above.pValue, 13);
    expect(below.pUpper).toBeCloseTo(above.pLower, 13);
    expect(below.medianUnbiased).toBeCloseTo(-above.medianUnbiased, 9);
    expect(below.confidenceInterval[0]).toBeCloseTo(-above.confidenceInterval[1], 9);
  }
});

test("a trial that ends on its last bound has p = alpha exactly", () => {
  const bounds = groupSequentialBounds(DESIGN);
  const { pValue } = stagewiseInference({
    ...DESIGN,
    ...bounds,
    stopLook: 5,
    z: bounds.upper[4] ?? NaN,
    level: 0.95,
  });
  expect(pValue).toBeCloseTo(0.05, 12);
});

test("stopping early, the median-unbiased estimate lies nearer to 0 than the plain one", () => {
  const bounds = groupSequentialBounds({ ...DESIGN, spending: "obrien-fleming" });
  const z = 2.9;
  const { medianUnbiased } = stagewiseInference({
    ...DESIGN,
    ...bounds,
    stopLook: 4,
    z,
    level: 0.95,
  });
  expect(medianUnbiased).toBeGreaterThan(0);
  expect(medianUnbiased).toBeLessThan(z / Math.sqrt(0.8));
});

test("impossible arguments are refused by name", () => {
  const bounds = groupSequentialBounds(DESIGN);
  const arguments_ = { ...DESIGN, ...bounds, stopLook: 1, z: 2, level: 0.95 };
  expect(() => stagewiseInference({ ...arguments_, stopLook: 6 })).toThrow(/stopLook/);
  expect(() => stagewiseInference({ ...arguments_, z: NaN })).toThrow(/^z /);
  expect(() => stagewiseInference({ ...arguments_, level: 1 })).toThrow(/level/);
  expect(() => stagewiseInference({ ...arguments_, upper: [2] })).toThrow(/upper/);
});
