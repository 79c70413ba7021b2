import { describe, expect, test } from "vitest";
import { designGroupSequential } from "./design-group-sequential.ts";
import { exitProbabilities } from "./exit-probabilities.ts";
import { referenceDesign, spendingOf } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { futilityBounds } from "./futility-bounds.ts";
import { spentBy } from "./spending-function.ts";

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

describe("futility", () => {
  const spending = "obrien-fleming";

  test("spends beta under the drift look by look, clustered looks included", () => {
    const fractions = [0.3, 0.3005, 0.301, 0.6, 0.601, 1];
    const design = designGroupSequential({
      fractions,
      alpha: 0.025,
      sides: 1,
      power: 0.8,
      spending,
      futility: { beta: 0.2, spending: "pocock" },
    });
    const { lower, betaSpent } = futilityBounds({
      fractions,
      upper: design.upper,
      drift: design.drift,
      beta: 0.2,
      spending: "pocock",
    });
    const exits = exitProbabilities({
      fractions,
      upper: design.upper,
      lower,
      drift: design.drift,
    });
    let spent = 0;
    const figures = exits.lower.map((p, k): Figure => {
      spent += p;
      return [`look ${k + 1}`, spent, spentBy(fractions[k] ?? NaN, 0.2, "pocock")];
    });
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
    expect(
      outside(
        series(
          "spent",
          betaSpent,
          figures.map(([, p]) => p),
        ),
        { absolute: 1e-10 },
      ),
    ).toEqual([]);
  });

  test("is non-binding: the upper bounds are those of a design without it", () => {
    const plan = {
      fractions: [0.4, 0.7, 1],
      alpha: 0.025,
      sides: 1,
      power: 0.9,
      spending,
    } as const;
    const without = designGroupSequential(plan);
    const withFutility = designGroupSequential({ ...plan, futility: { beta: 0.1, spending } });
    expect(withFutility.upper).toEqual(without.upper);
    expect(withFutility.drift).toBeGreaterThan(without.drift);
    expect(withFutility.expectedFraction.null).toBeLessThan(without.expectedFraction.null);
  });

  test("at a small drift never rises above the upper bound", () => {
    const upper = [2.5, 2.2, 2];
    const { lower } = futilityBounds({
      fractions: [0.3, 0.6, 1],
      upper,
      drift: 0,
      beta: 0.99,
      spending,
    });
    lower.forEach((bound, k) => expect(bound).toBeLessThanOrEqual(upper[k] ?? NaN));
  });
});
