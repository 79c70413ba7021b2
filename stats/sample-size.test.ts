import { describe, expect, test } from "vitest";
import vectors from "./fixtures/vectors.json" with { type: "json" };
import { outside } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import { dunnettCriticalValue } from "./dunnett.ts";
import { minimumDetectableEffect } from "./minimum-detectable-effect.ts";
import { powerMeans } from "./power-means.ts";
import { powerProportions } from "./power-proportions.ts";
import { sampleSizeMeans } from "./sample-size-means.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";

describe("reference vectors", () => {
  test("proportions as power.prop.test within 1e-9", () => {
    const figures = vectors.powerProp.flatMap((record, i): Figure[] => {
      const design = {
        baseline: record.p1,
        alternative: record.p2,
        alpha: record.alpha,
        power: record.power,
      };
      const size = sampleSizeProportions(design);
      return [
        [`${i} exact`, size.exactControl, record.nPerArm_pooledFormula],
        [`${i} whole`, size.control, record.nPerArm_ceil],
        [
          `${i} one-sided`,
          sampleSizeProportions({ ...design, sides: 1 }).exactControl,
          record.nPerArm_oneSided,
        ],
      ];
    });
    expect(outside(figures, { relative: 1e-9 })).toEqual([]);
  });

  test("means by the normal formula within 1e-9, unequal allocation included", () => {
    const figures = vectors.powerMean.flatMap((record, i): Figure[] => {
      const design = {
        standardDeviation: record.sd,
        difference: record.delta,
        alpha: record.alpha,
        power: record.power,
      };
      return [
        [`${i} equal`, sampleSizeMeans(design).exactControl, record.nPerArm_normal],
        [
          `${i} small arm`,
          sampleSizeMeans({ ...design, allocation: record.allocationRatio }).exactControl,
          record.nSmall_normal,
        ],
      ];
    });
    expect(outside(figures, { relative: 1e-9 })).toEqual([]);
  });

  test("power of proportions at a given size within 1e-9, and the size gives back its effect", () => {
    const figures = vectors.powerProp.flatMap((record, i): Figure[] => {
      const { p1: baseline, p2: alternative, alpha, power } = record;
      const given: Figure[] = [
        [
          `${i} power`,
          powerProportions({ control: record.powerAt.n, baseline, alternative, alpha }),
          record.powerAt.power,
        ],
      ];
      if (alternative < baseline) return given;
      const control = record.nPerArm_pooledFormula;
      const effect = minimumDetectableEffect({ control, baseline, alpha, power });
      return given.concat([[`${i} effect`, effect, alternative - baseline]]);
    });
    expect(outside(figures, { relative: 1e-9 })).toEqual([]);
  });

  test("power of means as power.t.test within 1e-9, minimum detectable effect as reference", () => {
    const figures = vectors.powerMean.flatMap((record, i): Figure[] => {
      const { sd: standardDeviation, delta: difference, alpha, power } = record;
      return [
        [
          `${i} power`,
          powerMeans({ control: record.nPerArm_t, standardDeviation, difference, alpha }),
          power,
        ],
        [
          `${i} effect`,
          minimumDetectableEffect({
            control: record.mdeAtN.nPerArm,
            standardDeviation,
            alpha,
            power,
          }),
          record.mdeAtN.mde,
        ],
      ];
    });
    expect(outside(figures, { relative: 1e-9 })).toEqual([]);
  });

  test("Dunnett's critical values within 1e-10", () => {
    const figures = vectors.dunnett.map(({ arms, alpha, nTreatOverControl, criticalZ }): Figure => [
      `${arms} ${alpha}`,
      dunnettCriticalValue({ treatments: arms, alpha, allocation: nTreatOverControl }),
      criticalZ,
    ]);
    expect(outside(figures, { absolute: 1e-10 })).toEqual([]);
  });
});

test("5 % to 5.5 % at 80 % power takes 31,234 units a variant, not 72,000", () => {
  const size = sampleSizeProportions({
    baseline: 0.05,
    alternative: 0.055,
    alpha: 0.05,
    power: 0.8,
  });
  expect(size).toMatchObject({ control: 31_234, treatment: 31_234, total: 62_468 });
});

test("σ = 50 and a difference of 2 take 9,811.1 units a variant by the normal formula", () => {
  const size = sampleSizeMeans({ standardDeviation: 50, difference: 2, alpha: 0.05, power: 0.8 });
  expect(size.exactControl).toBeCloseTo(9811.0997, 4);
  expect(size.control).toBe(9812);
});

test("a rate next to 1 leaves an effect between it and 1, or none", () => {
  const design = { alpha: 0.05, power: 0.8 };
  const baseline = 1 - 1e-10;
  const effect = minimumDetectableEffect({ ...design, control: 1e12, baseline });
  expect(effect).toBeGreaterThan(0);
  expect(effect).toBeLessThan(1e-10);
  const edge = minimumDetectableEffect({ ...design, control: 1e12, baseline: 1 - 2 ** -53 });
  expect(edge).toBeNull();
});
