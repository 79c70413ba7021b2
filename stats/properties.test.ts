import { array, assert, double, integer, pre, property, tuple } from "fast-check";
import type { IProperty, Parameters as Settings } from "fast-check";
import { describe, expect, test } from "vitest";
import { adjustPValues } from "./adjust-p-values.ts";
import { alwaysValidTest } from "./always-valid-test.ts";
import { exitProbabilities } from "./exit-probabilities.ts";
import { fractions, plan, pValues, spending, summary, values } from "./fixtures/arbitraries.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { minimumDetectableEffect } from "./minimum-detectable-effect.ts";
import { moments } from "./moments.ts";
import type { Moments } from "./moments.ts";
import { pairedMoments } from "./paired-moments.ts";
import { repeatedConfidenceIntervals } from "./repeated-confidence-intervals.ts";
import { sampleSizeProportions } from "./sample-size-proportions.ts";
import { repeatedPValue } from "./sequential-p-value.ts";
import { spentBy } from "./spending-function.ts";
import { welchTest } from "./welch-test.ts";

const holds = <T>(claim: IProperty<T>, settings?: Settings<T>): void =>
  assert(claim, { numRuns: 200, ...settings });
const sum = (numbers: readonly number[]): number => numbers.reduce((total, p) => total + p, 0);
const unit = double({ min: 0, max: 1, noNaN: true });

/** Largest difference over the size of what is compared. */
const apart = (a: number, b: number): number =>
  Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));

describe("bounds", () => {
  test("spend exactly what the function says, look by look, whatever the schedule", () => {
    holds(
      property(plan, (design) => {
        const bounds = groupSequentialBounds(design);
        const exits = exitProbabilities({ ...design, ...bounds, drift: 0 });
        let spent = 0;
        design.fractions.forEach((fraction, k) => {
          spent += exits.total[k] ?? NaN;
          const time = Math.min(fraction, 1);
          const allowed =
            design.sides * spentBy(time, design.alpha / design.sides, design.spending);
          expect(Math.abs(spent - allowed)).toBeLessThan(1e-12);
        });
      }),
    );
  });

  test("sum to alpha to 1e-12 once the plan is reached", () => {
    holds(
      property(plan, (design) => {
        const { alphaIncrement } = groupSequentialBounds(design);
        pre((design.fractions.at(-1) ?? 0) >= 1);
        expect(Math.abs(sum(alphaIncrement) - design.alpha)).toBeLessThan(1e-12);
      }),
    );
  });

  test("of the first looks never change, to the last bit, when a look is appended", () => {
    holds(
      property(plan, (design) => {
        const whole = groupSequentialBounds(design).upper;
        for (let k = 1; k < whole.length; k++) {
          const part = groupSequentialBounds({
            ...design,
            fractions: design.fractions.slice(0, k),
          });
          expect(part.upper).toEqual(whole.slice(0, k));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("do not depend on the unit of information", () => {
    holds(
      property(plan, double({ min: 0.01, max: 100, noNaN: true }), (design, scale) => {
        const spendingTime = design.fractions.map((fraction) => Math.min(fraction, 1));
        const scaled = design.fractions.map((fraction) => fraction * scale);
        const one = groupSequentialBounds({ ...design, spendingTime }).upper;
        const other = groupSequentialBounds({ ...design, fractions: scaled, spendingTime }).upper;
        // The recursion's region is clipped 10 deviations out: bounds beyond 6.5 keep 7 digits.
        const moved = one.filter((bound, k) => bound < 6.5 && apart(bound, other[k] ?? NaN) > 1e-7);
        expect(moved).toEqual([]);
      }),
    );
  });

  test("fall over equally spaced looks under O'Brien–Fleming spending", () => {
    holds(
      property(
        integer({ min: 2, max: 25 }),
        double({ min: 0.001, max: 0.2, noNaN: true }),
        (looks, alpha) => {
          const equal = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
          const { upper } = groupSequentialBounds({
            fractions: equal,
            alpha,
            sides: 2,
            spending: "obrien-fleming",
          });
          const finite = upper.filter(Number.isFinite);
          finite.slice(1).forEach((bound, k) => expect(bound).toBeLessThan(finite[k] ?? NaN));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("fall when alpha grows", () => {
    holds(
      property(plan, (design) => {
        const strict = groupSequentialBounds({ ...design, alpha: design.alpha * 0.8 }).upper;
        const laxer = groupSequentialBounds(design).upper;
        expect(strict.filter((bound, k) => bound < (laxer[k] ?? NaN) - 1e-9)).toEqual([]);
      }),
    );
  });
});

describe("exit probabilities", () => {
  test("mirror when the drift changes its sign", () => {
    holds(
      property(plan, double({ min: -5, max: 5, noNaN: true }), (design, drift) => {
        const { upper } = groupSequentialBounds({ ...design, sides: 2 });
        const looks = { fractions: design.fractions, upper, lower: upper.map((bound) => -bound) };
        const up = exitProbabilities({ ...looks, drift });
        const down = exitProbabilities({ ...looks, drift: -drift });
        up.upper.forEach((p, k) =>
          expect(Math.abs(p - (down.lower[k] ?? NaN))).toBeLessThan(1e-13),
        );
      }),
    );
  });

  test("are all there is: with both last bounds at 0 they sum to 1", () => {
    holds(
      property(plan, double({ min: -6, max: 6, noNaN: true }), (design, drift) => {
        const { upper } = groupSequentialBounds(design);
        const closed = upper.slice(0, -1).concat(0);
        const lower = upper
          .slice(0, -1)
          .map((bound) => -bound)
          .concat(0);
        const exits = exitProbabilities({
          fractions: design.fractions,
          upper: closed,
          lower,
          drift,
        });
        expect(Math.abs(sum(exits.total) - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  test("power grows with the drift", () => {
    holds(
      property(plan, double({ min: -2, max: 5, noNaN: true }), (design, drift) => {
        const bounds = groupSequentialBounds(design);
        const power = (theta: number): number =>
          sum(exitProbabilities({ ...design, ...bounds, drift: theta }).upper);
        expect(power(drift + 0.1)).toBeGreaterThanOrEqual(power(drift) - 1e-14);
      }),
    );
  });
});

describe("what is reported at a look", () => {
  const z = double({ min: -6, max: 6, noNaN: true });

  test("the repeated interval excludes 0, the repeated p is at most alpha and the bound is crossed: all or none", () => {
    holds(
      property(plan, z, (design, reached) => {
        const bounds = groupSequentialBounds(design);
        const last = design.fractions.length - 1;
        const bound = bounds.upper[last] ?? Infinity;
        const distance = design.sides === 2 ? Math.abs(reached) : reached;
        pre(Math.abs(distance - bound) > 1e-6);
        const intervals = repeatedConfidenceIntervals({
          ...design,
          ...bounds,
          z: design.fractions.map(() => reached),
        });
        const crossed = distance > bound;
        const excludes = (intervals.lower[last] ?? -1) > 0 || (intervals.upper[last] ?? 1) < 0;
        expect(excludes).toBe(crossed);
        expect(repeatedPValue({ ...design, z: reached }) <= design.alpha).toBe(crossed);
      }),
      { numRuns: 60 },
    );
  });

  test("the always-valid interval excludes 0 exactly when its p is below alpha", () => {
    const size = double({ min: 0.01, max: 10, noNaN: true });
    holds(
      property(
        z,
        size,
        size,
        double({ min: 0.001, max: 0.2, noNaN: true }),
        (effect, standardError, tau, alpha) => {
          const reading = alwaysValidTest({
            effect,
            standardError,
            mixingVariance: tau * tau,
            alpha,
          });
          const [lower, upper] = reading.confidenceSequence ?? [NaN, NaN];
          pre(Math.abs((reading.pValue ?? 1) / alpha - 1) > 1e-9);
          expect(lower > 0 || upper < 0).toBe((reading.pValue ?? 1) < alpha);
        },
      ),
    );
  });
});

describe("spending functions", () => {
  test("never fall, start at 0 and end at alpha exactly", () => {
    holds(
      property(spending, unit, unit, (curve, a, b) => {
        const [early, late] = a < b ? [a, b] : [b, a];
        expect(spentBy(late, 0.025, curve)).toBeGreaterThanOrEqual(spentBy(early, 0.025, curve));
        expect(spentBy(0, 0.025, curve)).toBe(0);
        expect(spentBy(1, 0.025, curve)).toBe(0.025);
      }),
    );
  });
});

describe("moments", () => {
  /** Largest disagreement; NaN when the counts differ. */
  const between = (a: Moments, b: Moments): number =>
    a.n === b.n ? Math.max(apart(a.mean, b.mean), apart(a.m2, b.m2)) : NaN;

  test("merge in any grouping and order to the same, and shards to the whole", () => {
    holds(
      property(values, values, values, (a, b, c) => {
        const [x, y, z] = [moments.from(a), moments.from(b), moments.from(c)];
        const whole = moments.from([...a, ...b, ...c]);
        const left = moments.merge(moments.merge(x, y), z);
        const right = moments.merge(x, moments.merge(y, z));
        expect(between(left, right)).toBeLessThan(1e-11);
        expect(between(moments.merge(x, y), moments.merge(y, x))).toBeLessThan(1e-11);
        expect(between(left, whole)).toBeLessThan(1e-11);
        expect(moments.merge(x, moments.empty)).toEqual(x);
      }),
    );
  });

  test("from totals agree with those from values", () => {
    holds(
      property(values, (a) => {
        const sumOfSquares = sum(a.map((value) => value * value));
        const totals = moments.fromSums({ n: a.length, sum: sum(a), sumOfSquares });
        expect(between(totals, moments.from(a))).toBeLessThan(1e-11);
      }),
    );
  });

  test("of pairs merge likewise, and their margins are the plain moments", () => {
    const pairs = array(tuple(unit, unit), { minLength: 2, maxLength: 20 });
    holds(
      property(pairs, pairs, (a, b) => {
        const whole = pairedMoments.from([...a, ...b]);
        const merged = pairedMoments.merge(pairedMoments.from(a), pairedMoments.from(b));
        expect(apart(merged.cXY, whole.cXY)).toBeLessThan(1e-12);
        const margin = { n: whole.n, mean: whole.meanX, m2: whole.m2X };
        const plain = moments.from([...a, ...b].map(([, x]) => x));
        expect(between(margin, plain)).toBeLessThan(1e-11);
      }),
    );
  });
});

describe("Welch's test", () => {
  test("does not depend on the metric's unit, and changes sign when the variants change places", () => {
    holds(
      property(
        summary,
        summary,
        double({ min: 1e-3, max: 1e3, noNaN: true }),
        (control, treatment, unitSize) => {
          const scale = ({ n, mean, variance }: typeof control): typeof control => ({
            n,
            mean: mean * unitSize,
            variance: variance * unitSize * unitSize,
          });
          const one = welchTest({ control, treatment });
          const scaled = welchTest({ control: scale(control), treatment: scale(treatment) });
          const swapped = welchTest({ control: treatment, treatment: control });
          expect(apart(one.pValue ?? NaN, scaled.pValue ?? NaN)).toBeLessThan(1e-10);
          expect(apart(one.relativeEffect ?? NaN, scaled.relativeEffect ?? NaN)).toBeLessThan(
            1e-10,
          );
          expect(swapped.pValue).toBe(one.pValue);
          expect((swapped.statistic ?? NaN) + (one.statistic ?? NaN)).toBe(0);
        },
      ),
    );
  });
});

const at = (i: number, list: readonly (number | null)[]): number => list[i] ?? NaN;

describe("adjusted p-values", () => {
  test("are never below the raw ones, order them alike, and grow from method to method", () => {
    holds(
      property(pValues, (p) => {
        const bonferroni = adjustPValues(p, "bonferroni");
        const holm = adjustPValues(p, "holm");
        const hochberg = adjustPValues(p, "hochberg");
        const fdr = adjustPValues(p, "benjamini-hochberg");
        const slack = 1e-15;
        p.forEach((raw, i) => {
          expect(at(i, fdr)).toBeGreaterThanOrEqual(raw - slack);
          expect(at(i, hochberg)).toBeGreaterThanOrEqual(at(i, fdr) - slack);
          expect(at(i, holm)).toBeGreaterThanOrEqual(at(i, hochberg) - slack);
          expect(at(i, bonferroni)).toBeGreaterThanOrEqual(at(i, holm) - slack);
        });
        const ascending = p.map((raw, i) => ({ raw, i })).toSorted((a, b) => a.raw - b.raw);
        const adjusted = ascending.map(({ i }) => at(i, holm));
        expect(adjusted).toEqual(adjusted.toSorted((a, b) => a - b));
      }),
    );
  });
});

test("the minimum detectable effect of a sample size is the effect that it was made for", () => {
  const design = { alpha: 0.05, power: 0.8, treatments: 2, allocation: 0.5, inflation: 1.03 };
  holds(
    property(
      double({ min: 0.01, max: 0.6, noNaN: true }),
      double({ min: 0.01, max: 0.5, noNaN: true }),
      (baseline, lift) => {
        const alternative = baseline * (1 + lift);
        const { exactControl } = sampleSizeProportions({ ...design, baseline, alternative });
        const found = minimumDetectableEffect({ ...design, baseline, control: exactControl });
        expect(apart(found ?? NaN, alternative - baseline)).toBeLessThan(1e-9);
      },
    ),
  );
});

test("fractions of the arbitrary plans increase, or the properties above would prove nothing", () => {
  holds(
    property(fractions, (list) => {
      expect(list.toSorted((a, b) => a - b)).toEqual(list);
    }),
  );
});
