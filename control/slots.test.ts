import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUCKETS } from "../core/index.ts";
import { basisPointsOf, firstFit, freeSlots } from "./slots.ts";

describe("free slots", () => {
  test.each([
    [[], [[0, 10_000]]],
    [[[0, 10_000]], []],
    [[[0, 2_000]], [[2_000, 10_000]]],
    [
      [
        [5_000, 6_000],
        [0, 1_000],
        [1_000, 2_000],
      ],
      [
        [2_000, 5_000],
        [6_000, 10_000],
      ],
    ],
    [[[9_999, 10_000]], [[0, 9_999]]],
  ] as const)("%j leave %j", (occupied, free) => {
    expect(freeSlots(occupied as unknown as [number, number][])).toEqual(free);
  });
});

describe("first fit", () => {
  test("takes the first free buckets, in as many ranges as it takes", () => {
    expect(firstFit([], 5_000)).toEqual([[0, 5_000]]);
    expect(firstFit([[1_000, 2_000]], 2_500)).toEqual([
      [0, 1_000],
      [2_000, 3_500],
    ]);
    expect(firstFit([[0, 10_000]], 0)).toEqual([]);
  });

  test("refuses what does not fit, by as little as one bucket", () => {
    expect(firstFit([[0, 5_000]], 5_000)).toEqual([[5_000, 10_000]]);
    expect(firstFit([[0, 5_000]], 5_001)).toBeNull();
  });

  test("never gives a bucket twice, however experiments grow, end and begin; all of a layer can be given", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 4_000 }), { maxLength: 30 }), (requests) => {
        let given: [number, number][][] = [];
        for (const request of requests) {
          if (request < 0) given = given.slice(1);
          else {
            const slots = firstFit(given.flat(), request);
            if (slots === null)
              expect(basisPointsOf(freeSlots(given.flat()))).toBeLessThan(request);
            else given.push(slots);
          }
          const buckets = given
            .flat()
            .flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
          expect(new Set(buckets).size).toBe(buckets.length);
          expect(buckets.every((bucket) => bucket >= 0 && bucket < BUCKETS)).toBe(true);
        }
        const rest = basisPointsOf(freeSlots(given.flat()));
        expect(firstFit(given.flat(), rest)).toEqual(freeSlots(given.flat()));
      }),
      { numRuns: 50, seed: 20_260_114 },
    );
  });
});
