import { describe, expect, test } from "vitest";
import { betaBinomialContrast, betaBinomialPosterior } from "./beta-binomial-posterior.ts";
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { normalPosterior } from "./normal-posterior.ts";

describe("reference vectors", () => {
  test("beta–binomial probability, losses, means and intervals within 1e-5 (here 1e-9)", () => {
    const figures = vectors.betaBinomial.flatMap((record, i): Figure[] => {
      const result = betaBinomialPosterior({
        control: { n: record.nA, successes: record.xA },
        treatment: { n: record.nB, successes: record.xB },
        prior: { a: record.priorA, b: record.priorB },
      });
      return [
        [`${i} better`, result.probabilityBetter, record.probBbeatsA],
        [`${i} loss B`, result.expectedLoss.treatment, record.expectedLossChooseB],
        [`${i} loss A`, result.expectedLoss.control, record.expectedLossChooseA],
        [`${i} mean A`, result.control.mean, record.meanA],
        [`${i} mean B`, result.treatment.mean, record.meanB],
        [`${i} lower A`, result.control.interval[0], record.ciA95[0] ?? null],
        [`${i} upper A`, result.control.interval[1], record.ciA95[1] ?? null],
        [`${i} lower B`, result.treatment.interval[0], record.ciB95[0] ?? null],
        [`${i} upper B`, result.treatment.interval[1], record.ciB95[1] ?? null],
      ];
    });
    expect(outside(figures, { relative: 1e-9 })).toEqual([]);
  });

  test("normal posterior, losses and interval within 1e-12", () => {
    const figures = vectors.normalNormal.flatMap((record, i): Figure[] => {
      const result = normalPosterior({
        estimate: record.estimate,
        standardError: record.se,
        prior: { mean: record.priorMean, standardDeviation: record.priorSd },
      });
      return [
        [`${i} mean`, result.mean, record.posteriorMean],
        [`${i} sd`, result.standardDeviation, record.posteriorSd],
        [`${i} better`, result.probabilityBetter, record.probPositive],
        [`${i} loss B`, result.expectedLoss?.treatment ?? null, record.riskChooseTreatment],
        [`${i} loss A`, result.expectedLoss?.control ?? null, record.riskChooseControl],
        [`${i} lower`, result.interval?.[0] ?? null, record.ci95[0] ?? null],
        [`${i} upper`, result.interval?.[1] ?? null, record.ci95[1] ?? null],
      ];
    });
    expect(outside(figures, { relative: 1e-12 })).toEqual([]);
  });
});

test("Miller's closed form for whole parameters: uniform priors, 1 of 2 against 0 of 2", () => {
  // Beta(2, 2) against Beta(1, 3): P = 1 − Σ_{i<2} B(1 + i, 5) / ((2 + i) B(1 + i, 2) B(1, 3)) = 0.8
  const result = betaBinomialPosterior({
    control: { n: 2, successes: 0 },
    treatment: { n: 2, successes: 1 },
  });
  expect(result.probabilityBetter).toBeCloseTo(0.8, 11);
  expect(result.expectedLoss.control - result.expectedLoss.treatment).toBeCloseTo(0.5 - 0.25, 11);
});

test.each([
  [0, 4_068, 1],
  [0, 1, 4_068],
  [0, 0, 1_000_000],
  [0, 50, 60],
  [1, 30, 90_000],
  [1, 90_000, 30],
])(
  "%i successes each, of %i and of %i: Miller's sum of as many terms and one",
  (successes, nA, nB) => {
    const bA = 1 + nA - successes;
    const bB = 1 + nB - successes;
    const b = bA + bB;
    const exact =
      successes === 0 ? bA / b : ((bA * (bA + 1)) / (b * (b + 1))) * (1 + (2 * bB) / (b + 2));
    const { probabilityBetter, expectedLoss } = betaBinomialContrast({
      control: { n: nA, successes },
      treatment: { n: nB, successes },
    });
    const mean = (rest: number) => (1 + successes) / (1 + successes + rest);
    const figures: Figure[] = [
      ["better", probabilityBetter, exact],
      ["losses", expectedLoss.control - expectedLoss.treatment, mean(bB) - mean(bA)],
    ];
    expect(outside(figures, { absolute: 1e-12 })).toEqual([]);
  },
);

test("sizes as unequal as 50 against a million keep their accuracy and swap", () => {
  const small = { n: 50, successes: 3 };
  const large = { n: 1_000_000, successes: 50_000 };
  const one = betaBinomialPosterior({ control: small, treatment: large });
  const other = betaBinomialPosterior({ control: large, treatment: small });
  expect(one.probabilityBetter + other.probabilityBetter).toBeCloseTo(1, 11);
  expect(one.expectedLoss.treatment).toBeCloseTo(other.expectedLoss.control, 12);
  expect(one.expectedLoss.control - one.expectedLoss.treatment).toBeCloseTo(
    one.treatment.mean - one.control.mean,
    12,
  );
});

test("an empty variant keeps its prior; an estimate without error has no posterior", () => {
  const { control, probabilityBetter } = betaBinomialPosterior({
    control: { n: 0, successes: 0 },
    treatment: { n: 0, successes: 0 },
  });
  expect(control.mean).toBe(0.5);
  expect(probabilityBetter).toBeCloseTo(0.5, 12);
  expect(
    normalPosterior({ estimate: 1, standardError: 0, prior: { mean: 0, standardDeviation: 1 } }),
  ).toEqual({
    mean: null,
    standardDeviation: null,
    probabilityBetter: null,
    expectedLoss: null,
    interval: null,
  });
});

test("a probability next to 0 or 1 stays inside [0, 1]", () => {
  const better = (control: number[], treatment: number[]): number =>
    betaBinomialPosterior({
      control: { successes: control[0] ?? 0, n: control[1] ?? 0 },
      treatment: { successes: treatment[0] ?? 0, n: treatment[1] ?? 0 },
    }).probabilityBetter;
  for (const p of [better([4, 183], [25, 38]), better([30, 38], [5, 65])]) {
    expect(p).toBeGreaterThanOrEqual(0);
    expect(p).toBeLessThanOrEqual(1);
  }
});
