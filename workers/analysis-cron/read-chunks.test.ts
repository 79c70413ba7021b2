import { expect, test } from "vitest";
import { metricOf, phaseOf, startMs } from "../../analysis/fixtures.ts";
import { readChunks } from "./read-chunks.ts";

const hourMs = 3_600_000;

/** Twenty experiments of two variants. */
const twenty = (metrics: number, dimensions: number) =>
  Array.from({ length: 20 }, (_, i) => ({
    name: i,
    phase: phaseOf({
      metrics: Array.from({ length: metrics }, (_m, m) => metricOf(`m${m}`)),
      dimensions: Array.from({ length: dimensions }, (_d, d) => `d${d}`),
    }),
  }));

const sizes = (started: ReturnType<typeof twenty>, hours: number) =>
  [...readChunks(started, startMs + hours * hourMs)].map((chunk) => chunk.length);

test("small experiments are read together, all of them once and in order", () => {
  const started = twenty(2, 1);
  expect([...readChunks(started, startMs + 24 * hourMs)]).toEqual([started]);
  expect([...readChunks(twenty(10, 0), startMs + 1_000 * hourMs)].flat()).toHaveLength(20);
  expect([...readChunks([], startMs)]).toEqual([]);
});

test("long ones and those with many dimensions in several reads, a huge one alone", () => {
  // 10 metrics, 2 variants, 250 hours: 5,000 cells each; with ten dimensions 800 values more: 21,000.
  expect(sizes(twenty(10, 0), 1_000)).toEqual([10, 10]);
  expect(sizes(twenty(10, 10), 1_000)).toEqual(Array.from({ length: 10 }, () => 2));
  expect(sizes(twenty(30, 10), 1_000)).toEqual(Array.from({ length: 20 }, () => 1));
});
