import { expect, test } from "vitest";
import { converted, matured, metricOf, phaseOf, startMs } from "./fixtures.ts";
import type { LedgerRow } from "./ledger.ts";
import { takeLook } from "./take-look.ts";
import type { Phase } from "../contracts/phase.ts";
import { designGroupSequential, normal } from "../stats/index.ts";

const dayMs = 86_400_000;

const at = (instant: number) => ({ asOfMs: instant, watermarkMs: instant, recordedAtMs: instant });

/** Takes a look after each of the given totals (units over both variants, split evenly; conversions of each). */
function ledgerAfter(
  refreshes: { units: number; a: number; b: number }[],
  phase = phaseOf(),
): LedgerRow[] {
  const ledger: LedgerRow[] = [];
  refreshes.forEach(({ units, a, b }, index) => {
    const inputs = {
      phase,
      matured: matured({ a: converted(units / 2, a), b: converted(units / 2, b) }),
      ledger: [...ledger],
      ...at(startMs + (index + 1) * dayMs),
    };
    ledger.push(...takeLook(inputs));
  });
  return ledger;
}

const even = (units: number) => ({ units, a: units / 10, b: units / 10 });

test("looks at 20, 40, 60, 80 and 100 % have the published O'Brien–Fleming (Lan–DeMets) bounds", () => {
  const ledger = ledgerAfter([2_000, 4_000, 6_000, 8_000, 10_000].map(even));
  expect(ledger.map(({ boundary }) => boundary?.toFixed(3))).toEqual([
    "4.877",
    "3.357",
    "2.680",
    "2.290",
    "2.031",
  ]);
  expect(ledger.map(({ look }) => look)).toEqual([1, 2, 3, 4, 5]);
  expect(ledger.at(-1)?.alphaSpent).toBeCloseTo(0.05, 12);
  expect(ledger.map(({ final }) => final)).toEqual([false, false, false, false, true]);
});

test("a refresh between two planned looks takes none, and spends nothing", () => {
  expect(ledgerAfter([1_000, 1_998].map(even))).toEqual([]);
  expect(ledgerAfter([2_000, 2_500, 3_998].map(even))).toHaveLength(1);
});

test("missed looks are one look at the information that there is", () => {
  const ledger = ledgerAfter([7_000].map(even));
  expect(ledger).toMatchObject([{ look: 1, informationFraction: 0.7, spendingTime: 0.7 }]);
});

test("a later look leaves the bounds of the earlier ones as they were", () => {
  const two = ledgerAfter([2_200, 4_000].map(even));
  const three = ledgerAfter([2_200, 4_000, 9_000].map(even));
  expect(three.slice(0, 2)).toEqual(two);
});

test("a ledger that was touched is refused: each earlier bound is solved again and must be the same", () => {
  const [first] = ledgerAfter([even(4_000)]);
  const inputs = {
    phase: phaseOf(),
    matured: matured({ a: converted(3_000, 300), b: converted(3_000, 300) }),
    ...at(startMs + 5 * dayMs),
  };
  const touched = (change: object) => () =>
    takeLook({ ...inputs, ledger: [{ ...(first as LedgerRow), ...change }] });
  expect(touched({})()).toHaveLength(1);
  expect(touched({ boundary: (first?.boundary ?? 0) - 1e-8 })).toThrow(
    /not as it was written: look 1/,
  );
  expect(touched({ informationFraction: 0.41, spendingTime: 0.41 })).toThrow(
    /not as it was written/,
  );
});

test("an overrun spends what is left, at the information that there is", () => {
  const [, last] = ledgerAfter([5_000, 12_000].map(even));
  expect(last).toMatchObject({ informationFraction: 1.2, spendingTime: 1, final: true });
  expect(last?.alphaSpent).toBeCloseTo(0.05, 12);
});

test("after all alpha is spent there is no look", () => {
  expect(ledgerAfter([10_000, 12_000, 20_000].map(even))).toHaveLength(1);
});

test("a crossing closes the ledger: the decision stands, whatever comes later", () => {
  const ledger = ledgerAfter([{ units: 4_000, a: 200, b: 320 }, even(6_000)]);
  expect(ledger).toHaveLength(1);
  expect(ledger[0]?.crossed).toBe(true);
});

test("z is the pooled score test's: Cookie Cats, retention after one day", () => {
  const [look] = ledgerAfter(
    [{ units: 89_400, a: 20_034, b: 20_034 }],
    phaseOf({}, { maximumSampleSize: 89_400 }),
  );
  expect(look?.z).toBe(0);
  const phase = phaseOf({}, { maximumSampleSize: 90_189 });
  const [real] = takeLook({
    phase,
    matured: matured({ a: converted(44_700, 20_034), b: converted(45_489, 20_119) }),
    ledger: [],
    ...at(startMs + dayMs),
  });
  // Two-sided p = 0.0744 as counted from the file.
  expect(real?.z).toBeCloseTo(-1.784, 3);
});

test("no look on fewer than 100 conversions a variant, nor 400 when the split is uneven, but for the last", () => {
  expect(ledgerAfter([{ units: 4_000, a: 99, b: 150 }])).toEqual([]);
  expect(ledgerAfter([{ units: 4_000, a: 100, b: 150 }])).toHaveLength(1);
  const uneven = phaseOf({
    variants: [
      { variant: "a", weightBasisPoints: 9_000 },
      { variant: "b", weightBasisPoints: 1_000 },
    ],
  });
  expect(ledgerAfter([{ units: 4_000, a: 150, b: 399 }], uneven)).toEqual([]);
  expect(ledgerAfter([{ units: 10_000, a: 3, b: 5 }])).toHaveLength(1);
});

test("information goes by effective units: a lopsided sample is worth less than its size", () => {
  const [look] = takeLook({
    phase: phaseOf(),
    matured: matured({ a: converted(3_000, 300), b: converted(1_000, 100) }),
    ledger: [],
    ...at(startMs + dayMs),
  });
  // 1 / (1/3000 + 1/1000) = 750 of 2,500 planned.
  expect(look?.informationFraction).toBeCloseTo(0.3, 12);
});

test("a look needs units that have matured since the last one", () => {
  const ledger = ledgerAfter([even(2_000)]);
  const again = (instant: number) =>
    takeLook({
      phase: phaseOf(),
      matured: matured({ a: converted(2_500, 250), b: converted(2_500, 250) }),
      ledger,
      ...at(instant),
    });
  expect(again(startMs + dayMs)).toEqual([]);
  expect(again(startMs)).toEqual([]);
  expect(again(startMs + 2 * dayMs)).toHaveLength(1);
});

test("daily looks are due by the day, at most one a day", () => {
  const phase = phaseOf({}, { looks: { every: "day", count: 4 } });
  const ledger = ledgerAfter([even(2_000), even(3_000), even(4_000)], phase);
  expect(ledger.map(({ informationFraction }) => informationFraction)).toEqual([0.2, 0.3, 0.4]);
  const sameDay = takeLook({
    phase,
    matured: matured({ a: converted(2_500, 250), b: converted(2_500, 250) }),
    ledger,
    ...at(startMs + 3 * dayMs + 1_000),
  });
  expect(sameDay).toEqual([]);
});

test("a plan with futility has the design's bound at its looks, and advises when the treatment falls below it", () => {
  const futility = { beta: 0.2, spending: "obrien-fleming" as const };
  const plan = { sides: 1 as const, futility };
  const [first] = ledgerAfter([even(4_000)], phaseOf({}, plan));
  // One look at 0.4 spends sfLDOF(0.4) of beta: Φ((l - δ√0.4)) = 2(1 - Φ(z_{0.1}/√0.4)) under the drift of the plan's five looks.
  const drift = designGroupSequential({
    alpha: 0.05,
    power: 0.8,
    sides: 1,
    spending: "obrien-fleming",
    futility,
    fractions: [0.2, 0.4, 0.6, 0.8, 1],
  }).drift;
  const spent = 2 * normal.sf(-normal.quantile(0.1) / Math.sqrt(0.4));
  const bound = normal.quantile(spent) + drift * Math.sqrt(0.4);
  expect(first?.futilityBoundary).toBeCloseTo(bound, 8);
  expect(first).toMatchObject({ z: 0, futile: bound > 0, crossed: false });
  const [hopeful] = ledgerAfter([{ units: 4_000, a: 400, b: 430 }], phaseOf({}, plan));
  expect(hopeful?.futile).toBe(false);
  expect(ledgerAfter([even(4_000)])[0]).toMatchObject({ futilityBoundary: null, futile: false });
  // Not binding: the next look's bound for efficacy is that of a plan without futility.
  const [, second] = ledgerAfter([even(4_000), even(6_000)], phaseOf({}, plan));
  const [, without] = ledgerAfter([even(4_000), even(6_000)], phaseOf({}, { sides: 1 }));
  expect(second?.boundary).toBe(without?.boundary);
});

test("adjusted by its covariate, if the plan says so: θ, z and interval of Deng et al. decide", () => {
  // Per unit y = 2x + e, variances of x and e 1; b higher by 0.15.
  const n = 2_000;
  const reading = (meanY: number) => ({
    n,
    sums: {
      y: n * meanY,
      yy: n * meanY ** 2 + (n - 1) * 5,
      d: 0,
      dd: 0,
      yd: 0,
      x: n * 3,
      xx: n * 9 + (n - 1),
      xy: n * 3 * meanY + (n - 1) * 2,
    },
  });
  const mean = metricOf("m", { type: "mean", aggregation: "sum", covariateLookbackDays: 7 });
  const look = (adjustment: Partial<Phase["plan"]>) =>
    takeLook({
      phase: phaseOf({ metrics: [mean] }, adjustment),
      matured: matured({ a: reading(6), b: reading(6.15) }),
      ledger: [],
      ...at(startMs + dayMs),
    })[0];
  const plain = look({});
  expect(plain?.z).toBeCloseTo(0.15 / Math.sqrt(10 / n), 2);
  expect(plain?.inputs.theta).toBeUndefined();
  const adjusted = look({ adjustment: "cuped" });
  expect(adjusted?.inputs.theta).toBeCloseTo(2, 2);
  expect(adjusted?.inputs.standardError).toBeCloseTo(Math.sqrt(2 / n), 4);
  expect(adjusted?.z).toBeCloseTo(0.15 / Math.sqrt(2 / n), 1);
  const [low = 0] = adjusted?.inference.repeatedConfidenceInterval ?? [];
  expect(low > 0).toBe(adjusted?.crossed);
  expect(adjusted?.crossed).toBe(true);
  expect(plain?.crossed).toBe(false);
});

test("one-sided plans cross in the desired direction alone", () => {
  const worse = { units: 6_000, a: 450, b: 150 };
  const plan = { sides: 1 as const };
  expect(ledgerAfter([worse], phaseOf({}, plan))[0]?.crossed).toBe(false);
  const fewer = phaseOf({ metrics: [metricOf("m", { direction: "decrease" })] }, plan);
  expect(ledgerAfter([worse], fewer)[0]?.crossed).toBe(true);
});
