import { expect, test } from "vitest";
import { classicalBounds } from "./classical-bounds.ts";
import type { ClassicalType } from "./classical-bounds.ts";
import { driftForPower, expectedFraction } from "./drift-for-power.ts";
import { sidesOf } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { normal } from "./normal.ts";

function typeOf({ type, Delta }: { type: string; Delta?: number }): ClassicalType {
  if (type === "OBF") return "obrien-fleming";
  if (type === "Pocock") return "pocock";
  return { wangTsiatis: Delta ?? NaN };
}

test("reference vectors: O'Brien–Fleming, Pocock and Wang–Tsiatis within 1e-6 (here 1e-10)", () => {
  const figures = vectors.classical
    .filter(({ type }) => type !== "HaybittlePeto")
    .flatMap((record): Figure[] => {
      const bounds = classicalBounds({
        type: typeOf(record),
        fractions: record.info,
        alpha: record.alpha,
        sides: sidesOf(record.sided),
      });
      return series(record.id, bounds.upper, record.upper).concat([
        [`${record.id} constant`, bounds.constant, record.constant],
      ]);
    });
  expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
});

test("reference vectors: Haybittle–Peto is a spending rule, within 1e-6 (here 1e-10)", () => {
  const figures = vectors.classical
    .filter(({ type }) => type === "HaybittlePeto")
    .flatMap((record) => {
      const bounds = groupSequentialBounds({
        fractions: record.info,
        alpha: record.alpha,
        sides: sidesOf(record.sided),
        spending: "haybittle-peto",
      });
      return series(record.id, bounds.upper, record.upper);
    });
  expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
});

test("reference vectors: drift, inflation and expected information of classical designs within 1e-5 (here 1e-10)", () => {
  const byId = new Map(vectors.classical.map((record) => [record.id, record]));
  const figures = vectors.inflation.flatMap((record): Figure[] => {
    const bounds = byId.get(record.design);
    if (!bounds) return [];
    const sides = sidesOf(bounds.sided);
    const looks = {
      fractions: bounds.info,
      upper: bounds.upper,
      lower: sides === 2 ? bounds.upper.map((z) => -z) : null,
    };
    const drift = driftForPower({ ...looks, power: record.power });
    const fixed = normal.quantile(record.power) - normal.quantile(bounds.alpha / sides);
    return [
      [`${record.id} drift`, drift, record.drift],
      [`${record.id} inflation`, (drift / fixed) ** 2, record.inflationFactor],
      [
        `${record.id} null`,
        expectedFraction({ ...looks, drift: 0 }),
        record.expectedInfoFractionH0,
      ],
      [
        `${record.id} half`,
        expectedFraction({ ...looks, drift: drift / 2 }),
        record.expectedInfoFractionHalf,
      ],
      [`${record.id} H1`, expectedFraction({ ...looks, drift }), record.expectedInfoFractionH1],
    ];
  });
  expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
});
