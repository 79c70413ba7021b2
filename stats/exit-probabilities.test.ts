import { describe, expect, test } from "vitest";
import { exitProbabilities } from "./exit-probabilities.ts";
import { referenceDesign } from "./fixtures/designs.ts";
import { outside, series } from "./fixtures/outside.ts";
import type { Figure } from "./fixtures/outside.ts";
import vectors from "./fixtures/vectors.json" with { type: "json" };

const sum = (values: readonly number[]): number => values.reduce((total, p) => total + p, 0);

describe("reference vectors", () => {
  test("exit probabilities per look and side within 1e-7 (here 1e-12)", () => {
    const figures: Figure[] = [];
    for (const record of vectors.exitProbabilities) {
      const exits = exitProbabilities({ ...referenceDesign(record.design), drift: record.drift });
      const zeros = record.upperExit.map(() => 0);
      figures.push(
        ...series(`${record.id} upper`, exits.upper, record.upperExit),
        ...series(`${record.id} lower`, exits.lower, record.lowerExit ?? zeros),
        [`${record.id} power`, sum(exits.upper), record.power],
        [`${record.id} either`, sum(exits.total), record.powerEither],
      );
    }
    expect(outside(figures, { absolute: 1e-12 })).toEqual([]);
  });
});
