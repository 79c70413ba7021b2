import { expect, test } from "vitest";
import { converted, matured, phaseOf, startMs } from "./fixtures.ts";
import type { LedgerRow } from "./ledger.ts";
import type { Reading } from "./readings.ts";
import { takeLook } from "./take-look.ts";

const dayMs = 86_400_000;

function ledgerOf(...readings: Record<"a" | "b", Reading>[]): LedgerRow[] {
  const ledger: LedgerRow[] = [];
  readings.forEach((reading, index) => {
    const instant = startMs + (index + 1) * dayMs;
    const at = { asOfMs: instant, watermarkMs: instant, recordedAtMs: instant };
    ledger.push(
      ...takeLook({ phase: phaseOf(), matured: matured(reading), ledger: [...ledger], ...at }),
    );
  });
  return ledger;
}

const even = (n: number, a: number, b: number) => ({ a: converted(n, a), b: converted(n, b) });

test("a stop at the first look has the fixed-sample interval and estimate (stage-wise ordering)", () => {
  const [look] = ledgerOf(even(2_000, 200, 400));
  const effect = 0.1;
  const pooled = Math.sqrt(0.15 * 0.85 * (2 / 2_000));
  expect(look?.crossed).toBe(true);
  const final = look?.inference.final;
  expect(final?.medianUnbiased).toBeCloseTo(effect, 8);
  expect(final?.confidenceInterval[0]).toBeCloseTo(effect - 1.959964 * pooled, 6);
  expect(final?.confidenceInterval[1]).toBeCloseTo(effect + 1.959964 * pooled, 6);
});

test("a stop at a later look is shrunk towards zero, because stopping early overstates", () => {
  const ledger = ledgerOf(even(1_000, 100, 118), even(2_000, 200, 275));
  const last = ledger.at(-1);
  expect(ledger).toHaveLength(2);
  expect(last?.crossed).toBe(true);
  const estimate = last?.inference.final?.medianUnbiased ?? 0;
  expect(estimate).toBeGreaterThan(0);
  expect(estimate).toBeLessThan(last?.inputs.effect ?? 0);
});

test("swapping the variants mirrors everything that is said", () => {
  const there = ledgerOf(even(1_000, 100, 118), even(2_000, 200, 275)).at(-1);
  const back = ledgerOf(even(1_000, 118, 100), even(2_000, 275, 200)).at(-1);
  expect(back?.z).toBeCloseTo(-(there?.z ?? 0), 12);
  expect(back?.inference.final?.medianUnbiased).toBeCloseTo(
    -(there?.inference.final?.medianUnbiased ?? 0),
    10,
  );
  const [low = 0, high = 0] = there?.inference.repeatedConfidenceInterval ?? [];
  const [mirroredLow = 0, mirroredHigh = 0] = back?.inference.repeatedConfidenceInterval ?? [];
  expect(mirroredLow).toBeCloseTo(-high, 10);
  expect(mirroredHigh).toBeCloseTo(-low, 10);
});

test("the sequential p-value is below alpha exactly when a bound has been crossed, and never grows", () => {
  const open = ledgerOf(even(1_000, 100, 118), even(2_000, 200, 240), even(3_000, 300, 310));
  const values = open.map(({ inference }) => inference.sequentialPValue);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
  expect(open.map(({ crossed }) => crossed)).toEqual(values.map((p) => p <= 0.05));
  const [crossed] = ledgerOf(even(2_000, 200, 400));
  expect(crossed?.inference.sequentialPValue).toBeLessThan(0.05);
});

test("conditional power is near one for a strong trend, near zero for none, and absent once the ledger is closed", () => {
  const power = (b: number) =>
    ledgerOf(even(1_000, 100, b)).at(-1)?.inference.conditionalPower ?? -1;
  expect(power(140)).toBeGreaterThan(0.99);
  expect(power(100)).toBeLessThan(0.05);
  const [closed] = ledgerOf(even(5_000, 500, 510));
  expect(closed?.inference).toMatchObject({ conditionalPower: null });
  expect(closed?.inference.final).not.toBeNull();
});
