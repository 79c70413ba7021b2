import { expect, test } from "vitest";
import { conditionalPower } from "./conditional-power.ts";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };

const driftOf = (theta: string, drift: number): "null" | "trend" | number =>
  theta === "null" ? "null" : theta === "estimate" ? "trend" : drift;

test("reference vectors: conditional and predictive power within 1e-7 (here 1e-12)", () => {
  const figures: Figure[] = [];
  for (const record of vectors.conditionalPower) {
    const result = conditionalPower({
      ...referenceDesign(record.design),
      look: record.look,
      z: record.z,
      drift: driftOf(record.theta, record.drift),
    });
    figures.push(
      [`${record.id} power`, result.power, record.conditionalPower],
      [`${record.id} below`, result.powerBelow, record.conditionalLower],
      [`${record.id} predictive`, result.predictivePower, record.predictivePowerFinalLookFlatPrior],
      ...series(`${record.id} look`, result.byLook, record.upperByLook),
    );
  }
  expect(outside(figures, { absolute: 1e-12 })).toEqual([]);
});

test("a look with none after it is refused by name", () => {
  const design = referenceDesign("o-033");
  expect(() => conditionalPower({ ...design, look: 2, z: 1, drift: "null" })).toThrow(/look/);
  expect(() => conditionalPower({ ...design, look: 0, z: 1, drift: "null" })).toThrow(/look/);
  expect(() => conditionalPower({ ...design, look: 1, z: 1, drift: NaN })).toThrow(/drift/);
});
