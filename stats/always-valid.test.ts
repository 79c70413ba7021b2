import { describe, expect, test } from "vitest";
import { alwaysValidTest, mixingVarianceFor } from "./always-valid-test.ts";
import type { AlwaysValid } from "./always-valid-test.ts";
import { asymptoticConfidenceSequence } from "./asymptotic-confidence-sequence.ts";
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import { uniforms } from "./fixtures/uniforms.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { normal } from "./normal.ts";
import { normalMixtureBoundary, normalMixtureRho } from "./normal-mixture-boundary.ts";

describe("reference vectors", () => {
  test("mixture likelihood ratio, p and interval at one reading within 1e-12", () => {
    const figures = vectors.msprt.flatMap((record, i): Figure[] => {
      const result = alwaysValidTest({
        effect: record.diff,
        standardError: record.se,
        mixingVariance: record.tau2,
        alpha: record.alpha,
      });
      return [
        [`${i} log ratio`, result.logLikelihoodRatio, record.logLambda],
        [`${i} p`, result.pValue, record.p],
        [`${i} lower`, result.confidenceSequence?.[0] ?? null, record.ci[0] ?? null],
        [`${i} upper`, result.confidenceSequence?.[1] ?? null, record.ci[1] ?? null],
      ];
    });
    expect(outside(figures, { relative: 1e-12, absolute: 1e-15 })).toEqual([]);
  });

  test("running minimum and running intersection along a path within 1e-12", () => {
    const figures: Figure[] = [];
    for (const path of vectors.msprtPath) {
      let previous: AlwaysValid | undefined;
      path.diff.forEach((effect, i) => {
        const now: AlwaysValid = alwaysValidTest({
          effect,
          standardError: path.se[i] ?? NaN,
          mixingVariance: path.tau2,
          alpha: path.alpha,
          ...(previous ? { previous } : {}),
        });
        figures.push(
          [`${i} p`, now.pValue, path.pAlwaysValid[i] ?? null],
          [`${i} lower`, now.confidenceSequence?.[0] ?? null, path.loRunning[i] ?? null],
          [`${i} upper`, now.confidenceSequence?.[1] ?? null, path.hiRunning[i] ?? null],
        );
        previous = now;
      });
    }
    expect(outside(figures, { relative: 1e-12 })).toEqual([]);
  });

  test("normal-mixture boundary and its tuning within 1e-12, two-sided", () => {
    const figures = vectors.howardNormalMixtureTwoSided.flatMap(
      ({ v, vopt, alpha, rhoApprox, boundary, rhoExactLambert }): Figure[] => [
        [
          `boundary ${v} ${vopt} ${alpha}`,
          normalMixtureBoundary({ time: v, rho: rhoApprox, alpha, sides: 2 }),
          boundary,
        ],
        [
          `rho ${vopt} ${alpha}`,
          normalMixtureRho({ time: vopt, alpha, sides: 2 }),
          rhoExactLambert,
        ],
      ],
    );
    expect(outside(figures, { relative: 1e-12 })).toEqual([]);
  });

  test("normal-mixture boundary within 1e-10, one-sided", () => {
    const figures = vectors.howardNormalMixtureOneSided.map(
      ({ v, rho, alpha, boundaryExact }): Figure => [
        `${v} ${rho} ${alpha}`,
        normalMixtureBoundary({ time: v, rho, alpha, sides: 1 }),
        boundaryExact,
      ],
    );
    expect(outside(figures, { relative: 1e-10 })).toEqual([]);
  });

  test("asymptotic confidence sequence within 1e-12", () => {
    const figures = vectors.asymptoticCS.flatMap((record, i): Figure[] => {
      const result = asymptoticConfidenceSequence({
        estimate: record.estimate,
        standardError: record.se,
        n: record.n,
        plannedN: record.nStar,
        alpha: record.alpha,
      });
      return [
        [`${i} rho`, result.rho, record.rho],
        [`${i} half-width`, result.halfWidth, record.halfWidth],
        [`${i} p`, result.pValue, record.p],
      ];
    });
    expect(outside(figures, { relative: 1e-12 })).toEqual([]);
  });
});

function halfWidth(mixingVariance: number): number {
  const { confidenceSequence } = alwaysValidTest({
    effect: 0,
    standardError: 0.02,
    mixingVariance,
    alpha: 0.05,
  });
  return confidenceSequence?.[1] ?? NaN;
}

test("the mixing variance tuned to a standard error gives the narrowest interval there", () => {
  const best = mixingVarianceFor({ standardError: 0.02, alpha: 0.05 });
  expect(halfWidth(best)).toBeLessThan(halfWidth(best * 1.01));
  expect(halfWidth(best)).toBeLessThan(halfWidth(best / 1.01));
});

test("without a standard error nothing is claimed, and what was known stays", () => {
  const mixed = { mixingVariance: 1, alpha: 0.05 };
  const nothing = alwaysValidTest({ effect: 1, standardError: 0, ...mixed });
  expect(nothing).toEqual({ logLikelihoodRatio: null, pValue: null, confidenceSequence: null });
  const before = alwaysValidTest({ effect: 1, standardError: 0.5, ...mixed });
  const after = alwaysValidTest({ effect: 1, standardError: 0, ...mixed, previous: before });
  expect(after.pValue).toBe(before.pValue);
  expect(after.confidenceSequence).toEqual(before.confidenceSequence);
  expect(
    asymptoticConfidenceSequence({
      estimate: 1,
      standardError: 0,
      n: 5,
      plannedN: 100,
      alpha: 0.05,
    }),
  ).toMatchObject({ halfWidth: null, confidenceInterval: null, pValue: null });
});

test("a first reading without a standard error leaves the readings after it as if it had not been", () => {
  const mixed = { mixingVariance: 1, alpha: 0.05 };
  const nothing = alwaysValidTest({ effect: 1, standardError: 0, ...mixed });
  const again = alwaysValidTest({ effect: 1, standardError: 0, ...mixed, previous: nothing });
  const reading = { effect: 1, standardError: 0.5, ...mixed };
  expect(alwaysValidTest({ ...reading, previous: again })).toEqual(alwaysValidTest(reading));
});

function at(effect: number, previous?: AlwaysValid): AlwaysValid {
  return alwaysValidTest({
    effect,
    standardError: 0.01,
    mixingVariance: 1,
    alpha: 0.05,
    ...(previous ? { previous } : {}),
  });
}

test("intervals that share nothing leave none, for good", () => {
  const apart = at(-5, at(5));
  expect(apart.confidenceSequence).toBeNull();
  expect(at(0, apart).confidenceSequence).toBeNull();
});

test("read 400 times without an effect it rejects in at most 5 % of 2,000 experiments (seed 11)", () => {
  const random = uniforms(11);
  const experiments = 2000;
  const mixingVariance = mixingVarianceFor({ standardError: 1 / 20, alpha: 0.05 });
  let rejected = 0;
  for (let i = 0; i < experiments; i++) {
    let sum = 0;
    let crossed = false;
    for (let n = 1; n <= 400 && !crossed; n++) {
      sum += normal.quantile(random());
      const reading = {
        effect: sum / n,
        standardError: 1 / Math.sqrt(n),
        mixingVariance,
        alpha: 0.05,
      };
      crossed = (alwaysValidTest(reading).pValue ?? 1) <= 0.05;
    }
    if (crossed) rejected++;
  }
  expect(rejected / experiments).toBeGreaterThan(0.005);
  expect(rejected / experiments).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / experiments));
});
