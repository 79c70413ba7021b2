import { describe, expect, test } from "vitest";
import { designGroupSequential } from "./design-group-sequential.ts";
import { referenceDesign, spendingOf } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };

describe("reference vectors", () => {
  test("drift, inflation and expected information within 1e-5 (here 1e-10)", () => {
    const figures = vectors.inflation
      .filter(({ design }) => !design.startsWith("oB"))
      .flatMap((record): Figure[] => {
        const { drift, inflationFactor, expectedFraction } = designGroupSequential({
          ...referenceDesign(record.design),
          power: record.power,
        });
        return [
          [`${record.id} drift`, drift, record.drift],
          [`${record.id} inflation`, inflationFactor, record.inflationFactor],
          [`${record.id} null`, expectedFraction.null, record.expectedInfoFractionH0],
          [`${record.id} half`, expectedFraction.half, record.expectedInfoFractionHalf],
          [`${record.id} H1`, expectedFraction.alternative, record.expectedInfoFractionH1],
        ];
      });
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
  });

  test("non-binding futility bounds, drift and inflation within 1e-5 (here 1e-10)", () => {
    const figures: Figure[] = [];
    for (const record of vectors.futility) {
      const design = designGroupSequential({
        fractions: record.info,
        alpha: record.alphaOneSided,
        sides: 1,
        power: 1 - record.beta,
        spending: spendingOf(record.alphaSpending, null),
        futility: {
          beta: record.beta,
          spending: spendingOf(record.betaSpending, record.betaParam),
        },
      });
      figures.push(
        [`${record.id} drift`, design.drift, record.drift],
        [`${record.id} inflation`, design.inflationFactor, record.inflationFactor],
        ...series(`${record.id} upper`, design.upper, record.upper),
        ...series(`${record.id} lower`, design.futility ?? [], record.lower),
      );
    }
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
  });
});
