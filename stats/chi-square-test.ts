/** Pearson's chi-square test of two proportions, without continuity correction: the square of `twoProportionTest`, for readers who expect χ². */
import type { Comparison } from "./comparison.ts";
import { twoProportionTest } from "./two-proportion-test.ts";
import type { Proportion } from "./two-proportion-test.ts";

/**
 * As `twoProportionTest`, with `statistic` χ² on one degree of freedom (same p, effect and intervals).
 * @throws RangeError for counts that are none, or a level outside (0, 1)
 */
export function chiSquareTest(input: {
  readonly control: Proportion;
  readonly treatment: Proportion;
  /** Of the intervals; default 0.95. */
  readonly level?: number;
}): Comparison {
  const test = twoProportionTest(input);
  return test.statistic === null
    ? test
    : { ...test, statistic: test.statistic * test.statistic, degreesOfFreedom: 1 };
}
