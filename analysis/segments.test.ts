import { describe, expect, test } from "vitest";
import type { CohortRows } from "../counting/aggregate.ts";
import { bucket } from "../core/index.ts";
import { seededRandom } from "../test/seeded-random.ts";
import { exposures } from "./exposures.ts";
import { metricOf, phaseOf, startMs } from "./fixtures.ts";
import type { LedgerRow } from "./ledger.ts";
import { noFigures, refreshed } from "./refresh.ts";
import { takeLook } from "./take-look.ts";
import { converted, matured } from "./fixtures.ts";
import { timeSeries } from "./time-series.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startHour = startMs / hourMs;

interface Group {
  variant: string;
  country: string;
  hour?: number;
  n: number;
  y: number;
}

/** Units and conversions, overall and by country. */
function rowsOf(groups: readonly Group[]): CohortRows {
  const places = groups.flatMap(({ variant, country, hour = 0, n, y }) =>
    [
      { dimension: "", value: "" },
      { dimension: "country", value: country },
    ].map((place) => ({
      place: { ...place, variant, cohortStart: startHour + hour, cohortHours: 1 },
      n,
      y,
    })),
  );
  const rest = { d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
  return {
    populations: places.map(({ place, n }) => ({ ...place, n })),
    cells: places.map(({ place, y }) => ({ ...place, metric: "m", y, yy: y, ...rest })),
  };
}

const byCountry = phaseOf({ dimensions: ["country"] });

const answerOn = (rows: CohortRows, phase = byCountry) =>
  refreshed({
    record: { key: "x", status: "running" },
    phase,
    figures: { ...noFigures, rows },
    ledger: [],
    logEvidenceBefore: 0,
    asOfMs: startMs + dayMs,
  });

/** 200,000 units in ten countries, assigned by their hash; of the exposures to `b` in `losing`, a share is lost. */
function assigned(seed: number, losing: string | null): Group[] {
  const random = seededRandom(seed);
  const counts = new Map<string, Group>();
  for (let unit = 0; unit < 200_000; unit += 1) {
    const country = `C${unit % 10}`;
    const variant = bucket(`salt-${seed}`, `unit-${unit}`) < 5_000 ? "a" : "b";
    if (country === losing && variant === "b" && random() < 0.05) continue;
    const group = counts.get(`${country} ${variant}`) ?? { variant, country, n: 0, y: 0 };
    group.n += 1;
    counts.set(`${country} ${variant}`, group);
  }
  return [...counts.values()];
}

describe("a loss of 5 % of one variant's exposures in one of ten countries, 200,000 units in all", () => {
  test("is found by the breakdown, which names the country (seed 1), though the whole shows no mismatch", () => {
    const { sampleRatio } = answerOn(rowsOf(assigned(1, "C3")));
    expect(sampleRatio.mismatch).toBe(false);
    expect(sampleRatio.pValue).toBeGreaterThan(0.05);
    expect(sampleRatio.suspects).toMatchObject([{ dimension: "country", value: "C3" }]);
  }, 60_000);

  test("is found in at least 14 of 20 such experiments, the power of a test of ten countries at 5 % being 78 % (seeds 1–20)", () => {
    const found = Array.from({ length: 20 }, (_, i) => {
      const { suspects } = answerOn(rowsOf(assigned(i + 1, "C3"))).sampleRatio;
      return suspects.some(({ value }) => value === "C3");
    }).filter(Boolean).length;
    expect(found).toBeGreaterThanOrEqual(14);
  }, 60_000);

  test("sound experiments name nobody, but for about 5 % (20 of them, seeds 21–40: at most 4)", () => {
    const named = Array.from({ length: 20 }, (_, i) => {
      const { suspects } = answerOn(rowsOf(assigned(i + 21, null))).sampleRatio;
      return suspects.some(({ dimension }) => dimension === "country");
    }).filter(Boolean).length;
    expect(named).toBeLessThanOrEqual(4);
  }, 60_000);
});

test("where a mismatch comes from is in the advice", () => {
  const { sampleRatio, recommendation } = answerOn(
    rowsOf([
      { variant: "a", country: "US", n: 5_000, y: 0 },
      { variant: "b", country: "US", n: 5_000, y: 0 },
      { variant: "a", country: "CA", n: 3_000, y: 0 },
      { variant: "b", country: "CA", n: 1_500, y: 0 },
    ]),
  );
  expect(sampleRatio.mismatch).toBe(true);
  expect(recommendation.action).toBe("investigate");
  expect(recommendation.because).toContain("look first at country CA");
});

/** Units by what they met the variant through. */
const bySdk = (...groups: [variant: string, sdk: string, n: number][]) =>
  groups.map(([variant, value, n]) => ({
    variant,
    dimension: "sdk",
    value,
    cohortStart: startHour,
    cohortHours: 1,
    n,
  }));

test("the SDK that loses a variant is named, with no segment of a metric", () => {
  const sound = { variant: "a", country: "US", n: 5_000, y: 100 };
  const { populations, cells } = rowsOf([sound, { ...sound, variant: "b", n: 4_700 }]);
  const sdks = bySdk(
    ["a", "shop-app/7", 1_500],
    ["b", "shop-app/7", 1_200],
    ["a", "shop-web/2", 3_500],
    ["b", "shop-web/2", 3_500],
  );
  const answer = answerOn({ populations: [...populations, ...sdks], cells });
  expect(answer.sampleRatio.suspects).toMatchObject([
    { dimension: "sdk", value: "shop-app/7", observed: { a: 1_500, b: 1_200 } },
  ]);
  expect(answer.dimensions.map(({ dimension }) => dimension)).toEqual(["country"]);
});

test("the SDK that loses a variant is named before the countries that it is used in, though all their p-values are 0", () => {
  const countries = rowsOf(
    ["US", "DE"].flatMap((country) => [
      { variant: "a", country, n: 1_500_000, y: 0 },
      { variant: "b", country, n: 1_000_000, y: 0 },
    ]),
  );
  const sdks = bySdk(
    ["a", "shop-app/7", 1_000_000],
    ["a", "shop-web/2", 2_000_000],
    ["b", "shop-web/2", 2_000_000],
  );
  const { sampleRatio, recommendation } = answerOn({
    ...countries,
    populations: [...countries.populations, ...sdks],
  });
  expect(sampleRatio.suspects).toMatchObject([
    { dimension: "sdk", value: "shop-app/7", pValue: 0 },
    { dimension: "country", pValue: 0 },
    { dimension: "country", pValue: 0 },
  ]);
  expect(recommendation.because).toContain("look first at sdk shop-app/7");
});

test("a day on which a variant was hardly exposed is named", () => {
  const { suspects } = answerOn(
    rowsOf([
      { variant: "a", country: "US", n: 5_000, y: 0 },
      { variant: "b", country: "US", n: 5_000, y: 0 },
      { variant: "a", country: "US", hour: 24, n: 500, y: 0 },
      { variant: "b", country: "US", hour: 24, n: 350, y: 0 },
    ]),
  ).sampleRatio;
  expect(suspects).toMatchObject([
    { dimension: "day", value: "2026-01-02", observed: { a: 500, b: 350 } },
  ]);
});

test("a variant whose exposures are lost everywhere but in one small country is a mismatch, not a failure", () => {
  const answer = answerOn(
    rowsOf([
      { variant: "a", country: "US", n: 60_000, y: 0 },
      { variant: "a", country: "DE", n: 60_000, y: 0 },
      { variant: "a", country: "MT", n: 10, y: 0 },
      { variant: "b", country: "MT", n: 20, y: 0 },
    ]),
  );
  expect(answer.sampleRatio).toMatchObject({
    mismatch: true,
    suspects: [{ value: "US" }, { value: "DE" }],
  });
  expect(answer.dimensions[0]?.balance.pValue).toBeNull();
});

test("the balance of three variants, of which one has units in a small value alone, is that of the other two", () => {
  const thirds = [3_334, 3_333, 3_333].map((weightBasisPoints, i) => ({
    variant: ["a", "b", "c"][i] ?? "",
    weightBasisPoints,
  }));
  const { dimensions } = answerOn(
    rowsOf([
      { variant: "a", country: "US", n: 6_000, y: 0 },
      { variant: "b", country: "US", n: 6_100, y: 0 },
      { variant: "a", country: "DE", n: 4_000, y: 0 },
      { variant: "b", country: "DE", n: 3_900, y: 0 },
      { variant: "c", country: "MT", n: 20, y: 0 },
    ]),
    phaseOf({ variants: thirds, dimensions: ["country"] }),
  );
  // scipy.stats.chi2_contingency([[6000, 6100], [4000, 3900]], correction=False)
  expect(dimensions[0]?.balance.pValue).toBeCloseTo(0.148046040152, 9);
});

test("the balance of a dimension is Pearson's χ² of its table", () => {
  // 10, 20 / 30, 40: χ² = 100 (10·40 - 20·30)² / (30·70·40·60) = 0.7937, p = 0.3730.
  const { dimensions } = answerOn(
    rowsOf([
      { variant: "a", country: "US", n: 10, y: 0 },
      { variant: "b", country: "US", n: 20, y: 0 },
      { variant: "a", country: "CA", n: 30, y: 0 },
      { variant: "b", country: "CA", n: 40, y: 0 },
    ]),
  );
  expect(dimensions[0]?.balance.pValue).toBeCloseTo(0.373, 3);
  expect(dimensions[0]?.balance.values[0]).toMatchObject({
    value: "CA",
    observed: { a: 30, b: 40 },
  });
});

describe("Charig et al. (1986), stones of two sizes", () => {
  // Open surgery (a): small 81/87, large 192/263. Nephrolithotomy (b): small 234/270, large 55/80.
  const stones = rowsOf([
    { variant: "a", country: "small", n: 870, y: 810 },
    { variant: "a", country: "large", n: 2_630, y: 1_920 },
    { variant: "b", country: "small", n: 2_700, y: 2_340 },
    { variant: "b", country: "large", n: 800, y: 550 },
  ]);
  const { dimensions } = answerOn(stones);

  test("the paradox is told: better overall, worse in each group", () => {
    const [paradox] = dimensions[0]?.paradoxes ?? [];
    expect(paradox).toMatchObject({ metric: "m", variant: "b" });
    expect(paradox?.overall).toBeCloseTo(289 / 350 - 273 / 350, 12);
    // 357/700 of the small (234/270 - 81/87) and 343/700 of the large (55/80 - 192/263).
    const stratified = 0.51 * (234 / 270 - 81 / 87) + 0.49 * (55 / 80 - 192 / 263);
    expect(paradox?.stratified).toBeCloseTo(stratified, 12);
  });

  test("segments are adjusted for all of them together", () => {
    const [small, large] = dimensions[0]?.segments ?? [];
    const [p1 = 0, p2 = 0] = [small, large].map((s) => s?.comparisons[0]?.pValue ?? 0);
    expect(small?.comparisons[0]?.lift).toBeCloseTo(234 / 270 - 81 / 87, 12);
    expect(small?.comparisons[0]?.adjustedPValue).toBeCloseTo(
      Math.min(2 * Math.min(p1, p2), Math.max(p1, p2)),
      12,
    );
  });
});

test("no paradox where segments agree with the whole", () => {
  const agreeing = rowsOf([
    { variant: "a", country: "US", n: 1_000, y: 100 },
    { variant: "b", country: "US", n: 1_000, y: 150 },
    { variant: "a", country: "CA", n: 1_000, y: 300 },
    { variant: "b", country: "CA", n: 1_000, y: 340 },
  ]);
  expect(answerOn(agreeing).dimensions[0]?.paradoxes).toEqual([]);
});

test("segments never decide: whatever they show, the advice is the ledger's", () => {
  const huge = rowsOf([
    { variant: "a", country: "US", n: 900, y: 90 },
    { variant: "b", country: "US", n: 900, y: 600 },
  ]);
  expect(answerOn(huge).recommendation.action).toBe("continue");
});

test("the answer stays bounded: with many values and metrics only the largest segments are compared", () => {
  const metrics = Array.from({ length: 10 }, (_, i) => metricOf(i === 0 ? "m" : `m${i}`));
  const dimensions = ["country", "device", "platform", "browser", "plan"];
  const groups = Array.from({ length: 60 }, (_, i) => i).flatMap((i) =>
    ["a", "b"].map((variant) => ({ variant, country: `C${i}`, n: 1_000 - i, y: 100 })),
  );
  const answer = answerOn(rowsOf(groups), phaseOf({ dimensions, metrics }));
  expect(answer.dimensions[0]?.balance.values).toHaveLength(51);
  expect(answer.dimensions[0]?.segments).toHaveLength(40);
  expect(answer.dimensions[0]?.segments[0]?.value).toBe("other");
});

test("a time series has a cumulative point for each day with first exposures, and the looks of its ledger", () => {
  const rows = rowsOf([
    { variant: "a", country: "US", n: 100, y: 10 },
    { variant: "b", country: "US", n: 100, y: 20 },
    { variant: "a", country: "US", hour: 49, n: 300, y: 30 },
    { variant: "b", country: "US", hour: 49, n: 300, y: 40 },
  ]);
  const ledger: LedgerRow[] = takeLook({
    phase: byCountry,
    matured: matured({ a: converted(2_000, 200), b: converted(2_000, 230) }),
    ledger: [],
    asOfMs: startMs + 3 * dayMs,
    watermarkMs: startMs + 3 * dayMs,
    recordedAtMs: 0,
  });
  const [series] = timeSeries({ phase: byCountry, ledger }, rows);
  expect(series).toMatchObject({
    metric: "m",
    variant: "b",
    points: [
      { day: "2026-01-01", units: { a: 100, b: 100 }, lift: expect.closeTo(0.1, 12) },
      {
        day: "2026-01-03",
        units: { a: 400, b: 400 },
        sums: { a: 40, b: 60 },
        lift: expect.closeTo(0.05, 12),
      },
    ],
    looks: [{ look: 1, takenAt: "2026-01-04T00:00:00.000Z", boundary: expect.closeTo(3.357, 3) }],
  });
});

test("exposures are counted by variant, in all, by day, and by the values of each dimension", () => {
  const rows = rowsOf([
    { variant: "b", country: "US", hour: 30, n: 7, y: 0 },
    { variant: "a", country: "US", n: 5, y: 0 },
    { variant: "b", country: "CA", n: 3, y: 0 },
  ]);
  expect(exposures(byCountry, rows)).toEqual({
    units: { a: 5, b: 10 },
    days: [
      { day: "2026-01-01", units: { a: 5, b: 3 } },
      { day: "2026-01-02", units: { a: 0, b: 7 } },
    ],
    dimensions: [
      {
        dimension: "country",
        values: [
          { value: "US", units: { a: 5, b: 7 } },
          { value: "CA", units: { a: 0, b: 3 } },
        ],
      },
      { dimension: "source", values: [] },
      { dimension: "sdk", values: [] },
    ],
  });
});
