import { describe, expect, test } from "vitest";
import type { Phase } from "../contracts/phase.ts";
import { converted, matured, metricOf, phaseOf, startMs } from "./fixtures.ts";
import { results } from "./results.ts";
import type { ResultInputs } from "./comparison.ts";
import { takeLook } from "./take-look.ts";
import type { Reading } from "./readings.ts";

const dayMs = 86_400_000;

function inputsOf(
  readings: Record<string, Reading>,
  phase: Phase = phaseOf(),
  more: Partial<ResultInputs> = {},
): ResultInputs {
  const figures = matured(readings);
  const asOfMs = startMs + dayMs;
  return {
    experiment: "x",
    status: "running",
    phase,
    asOfMs,
    lastEventMs: asOfMs - 1_000,
    units: new Map(Object.entries(readings).map(([variant, { n }]) => [variant, n])),
    current: figures,
    matured: figures,
    quality: { quarantinedUnits: 0, botExposures: 0, lateEvents: 0, outsidePhaseUnits: 0 },
    ledger: takeLook({
      phase,
      matured: figures,
      ledger: [],
      asOfMs,
      watermarkMs: asOfMs,
      recordedAtMs: asOfMs,
    }),
    logEvidenceBefore: 0,
    breakdown: { rows: { populations: [], cells: [] }, populations: [], aggregates: [] },
    ...more,
  };
}

const cookieCats = phaseOf({}, { maximumSampleSize: 90_189 });

describe("Cookie Cats, from its counts", () => {
  const day1 = results(
    inputsOf({ a: converted(44_700, 20_034), b: converted(45_489, 20_119) }, cookieCats),
  );
  const day7 = results(
    inputsOf({ a: converted(44_700, 8_502), b: converted(45_489, 8_279) }, cookieCats),
  );

  test("conversion per variant and the p-values of R's prop.test without correction", () => {
    expect(day1.metrics[0]?.variants["a"]).toMatchObject({ n: 44_700, sum: 20_034 });
    expect(day1.metrics[0]?.variants["a"]?.mean).toBeCloseTo(0.4482, 4);
    expect(day1.metrics[0]?.comparisons[0]?.pValue).toBeCloseTo(0.0744, 4);
    expect(day7.metrics[0]?.comparisons[0]?.pValue).toBeCloseTo(0.0016, 4);
    expect(day7.metrics[0]?.comparisons[0]?.lift).toBeCloseTo(-0.0082, 4);
  });

  test("the sample ratio is watched, above the level that blocks", () => {
    expect(day1.sampleRatio.pValue).toBeCloseTo(0.0086, 4);
    expect(day1.sampleRatio.mismatch).toBe(false);
  });

  test("a boundary crossed downwards is a reason to revert, none crossed at the end to keep the control", () => {
    expect(day7.recommendation).toMatchObject({ action: "revert", variant: "b" });
    expect(day7.recommendation.because).toContain("undesired direction");
    expect(day1.recommendation).toMatchObject({ action: "revert" });
    expect(day1.recommendation.because).toContain("complete");
  });

  test("the repeated interval excludes zero exactly when the boundary is crossed", () => {
    const [low7 = 0, high7 = 0] =
      day7.metrics[0]?.comparisons[0]?.sequential?.repeatedConfidenceInterval ?? [];
    expect(low7 < 0 && high7 < 0).toBe(true);
    const [low1 = 0, high1 = 0] =
      day1.metrics[0]?.comparisons[0]?.sequential?.repeatedConfidenceInterval ?? [];
    expect(low1 < 0 && high1 > 0).toBe(true);
  });

  test("a plan with one look ends as a fixed test: its stage-wise p-value is the nominal one", () => {
    const final = day7.metrics[0]?.comparisons[0]?.sequential?.final;
    expect(final?.pValue).toBeCloseTo(day7.metrics[0]?.comparisons[0]?.pValue ?? 0, 10);
    expect(final?.medianUnbiased).toBeCloseTo(day7.metrics[0]?.comparisons[0]?.lift ?? 0, 10);
  });
});

test("without data every figure that does not apply is null, and nothing is decided", () => {
  const empty = results(inputsOf({ a: converted(0, 0), b: converted(0, 0) }));
  expect(empty.metrics[0]?.comparisons[0]).toMatchObject({
    lift: null,
    pValue: null,
    confidenceInterval: null,
    sequential: { looks: [], crossed: false, final: null },
  });
  expect(empty.recommendation.action).toBe("continue");
  expect(JSON.stringify(empty)).not.toMatch(/NaN|Infinity/);
});

test("the design shows the planned looks with their boundaries, those that cannot decide as null", () => {
  const looks = { fractions: [0.05, 0.5, 1] };
  const { design } = results(
    inputsOf({ a: converted(0, 0), b: converted(0, 0) }, phaseOf({}, { looks })),
  );
  expect(design.looks.map(({ boundary }) => boundary?.toFixed(2) ?? null)).toEqual([
    null,
    "2.96",
    "1.97",
  ]);
});

test("several ledgers share alpha, and their p-values are adjusted for it", () => {
  const phase = phaseOf(
    {
      variants: [
        { variant: "a", weightBasisPoints: 3_400 },
        { variant: "b", weightBasisPoints: 3_300 },
        { variant: "c", weightBasisPoints: 3_300 },
      ],
    },
    { ledgerAlpha: 0.025 },
  );
  const three = { a: converted(3_400, 340), b: converted(3_300, 390), c: converted(3_300, 350) };
  const [b, c] = results(inputsOf(three, phase)).metrics[0]?.comparisons ?? [];
  expect(b?.adjustedPValue).toBeCloseTo(2 * (b?.pValue ?? 0), 12);
  expect(c?.sequential?.looks[0]?.alphaSpent).toBeCloseTo(0.025, 12);
});

describe("a sample-ratio mismatch", () => {
  const skewed = { a: converted(5_000, 300), b: converted(6_000, 600) };

  test("blocks every verdict, however clear the effect", () => {
    const answer = results(inputsOf(skewed));
    expect(answer.sampleRatio.mismatch).toBe(true);
    expect(answer.metrics[0]?.comparisons[0]?.sequential?.crossed).toBe(true);
    expect(answer.recommendation.action).toBe("investigate");
  });

  test("once shown stays shown, even when the shares come together again", () => {
    const later = { a: converted(60_000, 3_000), b: converted(60_000, 3_000) };
    const answer = results(inputsOf(later, phaseOf(), { logEvidenceBefore: 8 }));
    expect(answer.sampleRatio).toMatchObject({ mismatch: true, logEvidence: 8 });
  });
});

describe("the ship rule", () => {
  const guarded = (maxRelativeHarm: number, errors: number, controlErrors = 1_000) => {
    const phase = phaseOf({
      metrics: [
        metricOf("m"),
        metricOf("errors", { role: "guardrail", direction: "decrease", maxRelativeHarm }),
      ],
    });
    const primary = { a: converted(5_000, 500), b: converted(5_000, 650) };
    const inputs = inputsOf(primary, phase);
    const figures = new Map([
      ...inputs.matured,
      [
        "errors",
        new Map([
          ["a", converted(5_000, controlErrors)],
          ["b", converted(5_000, errors)],
        ]),
      ],
    ]);
    return results({ ...inputs, current: figures, matured: figures }).recommendation;
  };

  test("ships a treatment that crossed favourably while no guardrail shows harm", () => {
    expect(guarded(0, 1_000)).toMatchObject({ action: "ship", variant: "b" });
  });

  test("does not ship it when a guardrail shows harm", () => {
    expect(guarded(0, 1_400)).toMatchObject({ action: "investigate", variant: "b" });
  });

  test("a guardrail on which nothing has happened has raised no alarm, but lies inside no margin", () => {
    expect(guarded(0, 0, 0).action).toBe("ship");
    expect(guarded(0.5, 0, 0).action).toBe("investigate");
  });

  test("with a margin the guardrail's whole interval must lie inside it", () => {
    expect(guarded(0.05, 1_000).action).toBe("investigate");
    expect(guarded(0.5, 1_000).action).toBe("ship");
  });
});

test("a treatment that goes on does not hide another that does harm", () => {
  const phase = phaseOf({
    variants: [
      { variant: "a", weightBasisPoints: 3_400 },
      { variant: "b", weightBasisPoints: 3_300 },
      { variant: "c", weightBasisPoints: 3_300 },
    ],
  });
  const readings = { a: converted(1_700, 340), b: converted(1_650, 335), c: converted(1_650, 150) };
  const { recommendation } = results(inputsOf(readings, phase));
  expect(recommendation).toMatchObject({
    action: "revert",
    variant: "c",
    byVariant: [
      { action: "continue", variant: "b" },
      { action: "revert", variant: "c" },
    ],
  });
});

test("while it is paused by a guardrail's alarm the advice is to revert; resumed, the treatment still does not ship", () => {
  const breach = {
    metric: "errors",
    variant: "b",
    atMs: startMs,
    recordedAtMs: startMs,
    watchesFromMs: startMs,
    evidence: {
      alpha: 0.05,
      maxRelativeHarm: 0,
      watchedFromMs: 0,
      control: { n: 100, mean: 0.1 },
      treatment: { n: 100, mean: 0.3 },
      excess: 0.2,
      excessInterval: [0.05, 0.35] as [number, number],
    },
  };
  const phase = phaseOf({
    metrics: [metricOf("m"), metricOf("errors", { role: "guardrail", direction: "decrease" })],
    breaches: [breach],
  });
  const open = { a: converted(1_000, 120), b: converted(1_000, 125) };
  const paused = results(inputsOf(open, phase, { status: "paused" }));
  expect(paused.recommendation).toMatchObject({ action: "revert", variant: "b" });
  expect(paused.metrics[1]?.comparisons[0]?.guardrail).toMatchObject({
    alarms: [{ excess: 0.2, at: "2026-01-01T00:00:00.000Z" }],
    passes: false,
  });
  expect(results(inputsOf(open, phase)).recommendation.action).toBe("continue");
  const won = { a: converted(5_000, 500), b: converted(5_000, 650) };
  expect(results(inputsOf(won, phase)).recommendation.action).toBe("investigate");
});

test("below 50 units, or 5 conversions, in a variant nothing is estimated, and the answer says why", () => {
  const comparison = (a: Reading, b: Reading) =>
    results(inputsOf({ a, b })).metrics[0]?.comparisons[0];
  for (const [few, why] of [
    [converted(49, 20), "A variant has fewer than 50 units."],
    [converted(500, 4), "A variant has fewer than 5 conversions."],
  ] as const) {
    const nothing = { lift: null, pValue: null, confidenceInterval: null, bayesian: null };
    expect(comparison(converted(500, 50), few)).toMatchObject({ withheld: why, ...nothing });
    expect(comparison(few, converted(500, 50))).toMatchObject({ withheld: why, ...nothing });
  }
  expect(comparison(converted(50, 5), converted(50, 6))).toMatchObject({
    withheld: null,
    lift: expect.closeTo(0.02, 12),
  });
});

test("below the futility bound the advice is to stop, as long as no other treatment goes on", () => {
  const plan = { sides: 1 as const, futility: { beta: 0.2, spending: "pocock" as const } };
  const readings = { a: converted(3_000, 300), b: converted(3_000, 250) };
  const answer = results(inputsOf(readings, phaseOf({}, plan)));
  expect(answer.recommendation).toMatchObject({ action: "stop-futility", variant: "b" });
  expect(answer.metrics[0]?.comparisons[0]?.sequential?.looks[0]).toMatchObject({ futile: true });
});

test("while looks remain and nothing is crossed, the advice is to continue", () => {
  const answer = results(inputsOf({ a: converted(1_000, 120), b: converted(1_000, 125) }));
  expect(answer.recommendation.action).toBe("continue");
});

test("a covariate gives the adjusted effect of Deng et al. beside the plain one, with one θ for all variants", () => {
  // Per unit y = 2x + e with e of variance 1 and x of variance 1, b higher by 0.1: from the sums of a linear model.
  const n = 1_000;
  const reading = (meanY: number): Reading => ({
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
  const phase = phaseOf({
    metrics: [metricOf("m", { type: "mean", aggregation: "sum", covariateLookbackDays: 7 })],
  });
  const [comparison] =
    results(inputsOf({ a: reading(6), b: reading(6.1) }, phase)).metrics[0]?.comparisons ?? [];
  expect(comparison?.standardError).toBeCloseTo(Math.sqrt((5 + 5) / n), 10);
  expect(comparison?.cuped?.theta).toBeCloseTo(2, 10);
  expect(comparison?.cuped?.lift).toBeCloseTo(0.1, 10);
  expect(comparison?.cuped?.standardError).toBeCloseTo(Math.sqrt((1 + 1) / n), 10);
  expect(comparison?.cuped?.varianceReduction).toBeCloseTo(0.8, 10);
});

test("a complete plan without a single conversion keeps the control: no look remains", () => {
  const answer = results(inputsOf({ a: converted(5_000, 0), b: converted(5_000, 0) }));
  expect(answer.metrics[0]?.comparisons[0]?.sequential?.looks[0]?.z).toBe(null);
  expect(answer.recommendation.action).toBe("revert");
  expect(answer.recommendation.because).toContain("complete");
});
