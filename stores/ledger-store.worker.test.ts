import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { LedgerRow } from "../analysis/ledger.ts";
import { ledgerStore } from "./ledger-store.ts";

const sums = { y: 10, yy: 10, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };

function row(variant: string, look: number, watermarkMs: number): LedgerRow {
  return {
    metric: "m",
    variant,
    look,
    takenAtMs: watermarkMs + 500,
    watermarkMs,
    informationFraction: 0.2,
    spendingTime: 0.2,
    boundary: null,
    z: -1.25,
    nominalP: 0.001,
    alphaSpent: 0.001,
    crossed: false,
    final: false,
    cause: "asked",
    recordedAtMs: watermarkMs + 700,
    analysisVersion: 2,
    futilityBoundary: 0.25,
    futile: true,
    inputs: {
      maturedShare: 0.2,
      effect: -0.01,
      standardError: 0.008,
      control: { n: 100, sums },
      treatment: { n: 90, sums },
    },
    inference: {
      repeatedConfidenceInterval: [-0.05, 0.03],
      sequentialPValue: 0.4,
      conditionalPower: null,
      final: { pValue: 0.2, medianUnbiased: -0.01, confidenceInterval: [-0.03, 0.01] },
    },
  };
}

const of = (experiment: string) => ({ environment: "e", experiment, phase: 1 });

test("rows come back as they were appended, oldest first, of that experiment and phase alone", async () => {
  const store = ledgerStore(env.CONTROL);
  await store.append(of("kept"), [row("b", 1, 1_000), row("c", 1, 1_000)]);
  await store.append(of("kept"), [row("b", 2, 2_000), row("c", 2, 2_000)]);
  await store.append({ ...of("kept"), phase: 2 }, [row("b", 1, 3_000)]);
  expect(await store.looks(of("kept"))).toEqual([
    row("b", 1, 1_000),
    row("c", 1, 1_000),
    row("b", 2, 2_000),
    row("c", 2, 2_000),
  ]);
});

test("of two analyses that take the same look at once one is told that it was late, and nothing of it is kept", async () => {
  const store = ledgerStore(env.CONTROL);
  const taken = await Promise.all([
    store.append(of("raced"), [row("b", 1, 1_000), row("c", 1, 1_000)]),
    store.append(of("raced"), [row("d", 1, 1_001), row("b", 1, 1_001)]),
  ]);
  expect(taken.filter(Boolean)).toHaveLength(1);
  expect(await store.looks(of("raced"))).toHaveLength(2);
});

test("a look on the same watermark is refused even under another number", async () => {
  const store = ledgerStore(env.CONTROL);
  expect(await store.append(of("same"), [row("b", 1, 1_000)])).toBe(true);
  expect(await store.append(of("same"), [row("b", 2, 1_000)])).toBe(false);
});

test("twenty treatments are appended whole: D1's bound parameters are kept to", async () => {
  const store = ledgerStore(env.CONTROL);
  const rows = Array.from({ length: 20 }, (_, i) =>
    row(`v${String(i).padStart(2, "0")}`, 1, 1_000),
  );
  expect(await store.append(of("many"), rows)).toBe(true);
  expect(await store.looks(of("many"))).toEqual(rows);
});
