/**
 * Whether the statistics keep their word over simulated experiments: false positives over repeated looks, power, coverage, alarms of the sample
 * ratio, uniform p-values. Seeded; a rate is printed with three standard errors of its own. Takes a few minutes.
 */
import {
  cuped,
  designGroupSequential,
  groupSequentialBounds,
  moments,
  normal,
  pairedMoments,
  ratioTest,
  repeatedProportionInterval,
  sampleRatioTest,
  sampleSizeProportions,
  sequentialSampleRatioTest,
  stagewiseInference,
  twoProportionTest,
  welchTest,
} from "../stats/index.ts";
import type { Comparison, PairedSummary, Spending } from "../stats/index.ts";
import { seeded } from "./stats-random.ts";
import type { Random } from "./stats-random.ts";

const EXPERIMENTS = 100_000;
const ALPHA = 0.05;

function row(name: string, hits: number, of: number, promise: string): void {
  const rate = hits / of;
  const error = 3 * Math.sqrt((rate * (1 - rate)) / of);
  console.log(
    `| ${name} | ${(100 * rate).toFixed(2)} ± ${(100 * error).toFixed(2)} % | ${promise} |`,
  );
}

function heading(title: string, measured: string): void {
  console.log(`\n### ${title}\n\n| | ${measured} | promise |\n|---|---|---|`);
}

const equal = (looks: number): number[] => Array.from({ length: looks }, (_, k) => (k + 1) / looks);
const bounds = (fractions: readonly number[], spending: Spending): number[] =>
  groupSequentialBounds({ fractions, alpha: ALPHA, sides: 2, spending }).upper;
const crosses = (path: readonly number[], upper: readonly number[]): boolean =>
  path.some((z, k) => Math.abs(z) > (upper[k] ?? Infinity));

/** Pooled z at each look of an experiment on conversions; `sizes` are units per variant by each look. */
function conversions(
  random: Random,
  sizes: readonly number[],
  rates: readonly [number, number],
): number[] {
  const successes = [0, 0];
  let before = 0;
  return sizes.map((n) => {
    rates.forEach((rate, i) => {
      successes[i] = (successes[i] ?? 0) + random.binomial(n - before, rate);
    });
    before = n;
    const [a = 0, b = 0] = successes;
    return (
      twoProportionTest({ control: { n, successes: a }, treatment: { n, successes: b } }).z ?? 0
    );
  });
}

/** z at each information fraction of an effect with the given drift: what any asymptotically normal metric gives. */
function brownian(random: Random, fractions: readonly number[], drift: number): number[] {
  let score = 0;
  let before = 0;
  return fractions.map((time) => {
    score += drift * (time - before) + random.gaussian() * Math.sqrt(time - before);
    before = time;
    return score / Math.sqrt(time);
  });
}

function falsePositives(): void {
  heading(
    `${EXPERIMENTS} A/A experiments on conversions (10 %), 20 looks, 10,000 units a variant (seed 1)`,
    "false positives",
  );
  const random = seeded(1);
  const fractions = equal(20);
  const sizes = fractions.map((fraction) => Math.round(fraction * 10_000));
  const naive = fractions.map(() => 1.959963984540054);
  const obf = bounds(fractions, "obrien-fleming");
  const pocock = bounds(fractions, "pocock");
  const hits = { naive: 0, obf: 0, pocock: 0, last: 0 };
  for (let i = 0; i < EXPERIMENTS; i++) {
    const path = conversions(random, sizes, [0.1, 0.1]);
    if (crosses(path, naive)) hits.naive++;
    if (crosses(path, obf)) hits.obf++;
    if (crosses(path, pocock)) hits.pocock++;
    if (Math.abs(path.at(-1) ?? 0) > 1.959963984540054) hits.last++;
  }
  row("p < 0.05 at any of the 20 looks", hits.naive, EXPERIMENTS, "none: 20 % or more");
  row("p < 0.05 at the end only", hits.last, EXPERIMENTS, "5 %");
  row("O'Brien–Fleming spending", hits.obf, EXPERIMENTS, "5 %");
  row("Pocock spending", hits.pocock, EXPERIMENTS, "5 %");

  const irregular = seeded(2);
  const schedules = 2000;
  const each = EXPERIMENTS / schedules;
  const random20 = { obf: 0, pocock: 0, overrun: 0, underrun: 0 };
  for (let i = 0; i < schedules; i++) {
    const cuts = Array.from({ length: 19 }, () => irregular.uniform()).toSorted((a, b) => a - b);
    const schedule = [...cuts.filter((cut, k) => cut - (cuts[k - 1] ?? 0) > 1e-5), 1];
    // 1.3: the last look comes late; 0.7: the deadline comes first and all is spent there.
    const late = [...schedule.slice(0, -1), 1 + 0.3 * irregular.uniform()];
    const early = schedule.map((fraction) => 0.7 * fraction);
    const spendingTime = early.map((fraction, k) => (k === early.length - 1 ? 1 : fraction));
    const plans: [keyof typeof random20, number[], number[]][] = [
      ["obf", schedule, bounds(schedule, "obrien-fleming")],
      ["pocock", schedule, bounds(schedule, "pocock")],
      ["overrun", late, bounds(late, "obrien-fleming")],
      [
        "underrun",
        early,
        groupSequentialBounds({
          fractions: early,
          spendingTime,
          alpha: ALPHA,
          sides: 2,
          spending: "obrien-fleming",
        }).upper,
      ],
    ];
    for (const [name, times, upper] of plans)
      for (let k = 0; k < each; k++)
        if (crosses(brownian(irregular, times, 0), upper)) random20[name]++;
  }
  const many = schedules * each;
  row("O'Brien–Fleming, 2,000 random schedules of 20 looks (seed 2)", random20.obf, many, "5 %");
  row("Pocock, the same", random20.pocock, many, "5 %");
  row("O'Brien–Fleming, the last look up to 30 % late", random20.overrun, many, "5 %");
  row("O'Brien–Fleming, ended at 70 %, the rest spent there", random20.underrun, many, "5 %");
}

function power(): void {
  heading(
    `${EXPERIMENTS} A/B experiments, 10 % against 11 %, 20 looks, 80 % power (seed 3)`,
    "found",
  );
  const random = seeded(3);
  const fractions = equal(20);
  for (const spending of ["obrien-fleming", "pocock"] as const) {
    const design = designGroupSequential({
      fractions,
      alpha: ALPHA,
      sides: 2,
      spending,
      power: 0.8,
    });
    const size = sampleSizeProportions({
      baseline: 0.1,
      alternative: 0.11,
      alpha: ALPHA,
      power: 0.8,
      inflation: design.inflationFactor,
    });
    const sizes = fractions.map((fraction) => Math.round(fraction * size.control));
    let found = 0;
    let stopped = 0;
    for (let i = 0; i < EXPERIMENTS; i++) {
      const path = conversions(random, sizes, [0.1, 0.11]);
      const at = path.findIndex((z, k) => Math.abs(z) > (design.upper[k] ?? Infinity));
      if (at >= 0 && (path[at] ?? 0) > 0) found++;
      stopped += at < 0 ? 1 : (fractions[at] ?? 1);
    }
    const expected = design.expectedFraction.alternative.toFixed(3);
    row(
      `${spending}, ${size.control} a variant; mean share used ${(stopped / EXPERIMENTS).toFixed(3)} (planned ${expected})`,
      found,
      EXPERIMENTS,
      "80 %",
    );
  }
}

function coverage(): void {
  heading("Coverage of 95 % intervals under optional stopping, 5 looks", "covered");
  const fractions = equal(5);
  const { upper, lower } = groupSequentialBounds({
    fractions,
    alpha: ALPHA,
    sides: 2,
    spending: "obrien-fleming",
  });
  const random = seeded(4);
  const sizes = fractions.map((fraction) => Math.round(fraction * 4000));
  for (const rate of [0.1, 0.12]) {
    let all = 0;
    let plain = 0;
    const experiments = 20_000;
    for (let i = 0; i < experiments; i++) {
      const counts = [0, 0];
      let before = 0;
      let holds = true;
      let plainHolds = true;
      sizes.forEach((n, k) => {
        counts[0] = (counts[0] ?? 0) + random.binomial(n - before, 0.1);
        counts[1] = (counts[1] ?? 0) + random.binomial(n - before, rate);
        before = n;
        const control = { n, successes: counts[0] };
        const treatment = { n, successes: counts[1] };
        const interval = repeatedProportionInterval({
          control,
          treatment,
          bound: upper[k] ?? Infinity,
        });
        const fixed = twoProportionTest({ control, treatment }).confidenceInterval;
        const truth = rate - 0.1;
        if (interval && (truth < interval[0] || truth > interval[1])) holds = false;
        if (fixed && (truth < fixed[0] || truth > fixed[1])) plainHolds = false;
      });
      if (holds) all++;
      if (plainHolds) plain++;
    }
    const name = `10 % against ${100 * rate} %, at all five looks at once`;
    row(`repeated interval, ${name} (seed 4)`, all, experiments, "95 % or more");
    row(`fixed-sample interval, ${name}`, plain, experiments, "none");
  }
  const stopping = seeded(5);
  for (const drift of [0, 1.5, 3]) {
    const experiments = 5000;
    let covered = 0;
    let above = 0;
    let naive = 0;
    for (let i = 0; i < experiments; i++) {
      const path = brownian(stopping, fractions, drift);
      const first = path.findIndex((z, k) => Math.abs(z) > (upper[k] ?? Infinity));
      const at = first < 0 ? 4 : first;
      const z = path[at] ?? 0;
      const result = stagewiseInference({
        fractions,
        upper,
        lower,
        stopLook: at + 1,
        z,
        level: 0.95,
      });
      if (result.confidenceInterval[0] <= drift && drift <= result.confidenceInterval[1]) covered++;
      if (result.medianUnbiased > drift) above++;
      if (z / Math.sqrt(fractions[at] ?? 1) > drift) naive++;
    }
    row(`stage-wise interval at the stop, drift ${drift} (seed 5)`, covered, experiments, "95 %");
    row(`median-unbiased estimate above the truth, drift ${drift}`, above, experiments, "50 %");
    row(`plain estimate above the truth, drift ${drift}`, naive, experiments, "none");
  }
}

function sampleRatio(): void {
  const experiments = 20_000;
  heading(
    `${experiments} sound experiments, sample ratio checked 700 times up to 1,000,000 units (seed 6)`,
    "alarmed",
  );
  const random = seeded(6);
  const level = 0.001;
  const sizes = Array.from({ length: 700 }, (_, k) => Math.round(100 * 10_000 ** (k / 699)));
  for (const weights of [
    [50, 50],
    [90, 10],
  ]) {
    const share = (weights[0] ?? 0) / 100;
    let byChiSquare = 0;
    let byEvidence = 0;
    for (let i = 0; i < experiments; i++) {
      let first = 0;
      let before = 0;
      let square = false;
      let evidence = false;
      for (const n of sizes) {
        const added = n - before;
        // A normal draw once it is exact to the unit's rounding.
        first +=
          added < 200
            ? random.binomial(added, share)
            : Math.round(
                added * share + random.gaussian() * Math.sqrt(added * share * (1 - share)),
              );
        before = n;
        const data = { observed: [first, n - first], weights };
        square ||= (sampleRatioTest(data).pValue ?? 1) < level;
        evidence ||= sequentialSampleRatioTest(data).logEvidence >= -Math.log(level);
      }
      if (square) byChiSquare++;
      if (evidence) byEvidence++;
    }
    row(
      `chi-square below ${level} at some check, ${weights.join("/")}`,
      byChiSquare,
      experiments,
      "none",
    );
    row(`evidence of 1/${level}, ${weights.join("/")}`, byEvidence, experiments, "0.1 % or less");
  }
}

/** A unit with a skewed outcome, a covariate that foretells it and a denominator that goes with it. */
function unit(random: Random): { value: number; covariate: number; denominator: number } {
  const level = random.exponential();
  return {
    value: level + random.exponential(),
    covariate: level,
    denominator: 1 + random.binomial(4, 0.3 + 0.4 * Math.exp(-level)),
  };
}

/** One A/A experiment: every test at every look, on the same units. */
function allTests(random: Random, sizes: readonly number[]): Record<string, Comparison>[] {
  let values = [moments.empty, moments.empty];
  let adjusted = [pairedMoments.empty, pairedMoments.empty];
  let ratios = [pairedMoments.empty, pairedMoments.empty];
  let successes = [0, 0];
  let before = 0;
  return sizes.map((n) => {
    for (let i = before; i < n; i++) {
      const units = [unit(random), unit(random)];
      values = values.map((m, k) => moments.push(m, units[k]?.value ?? 0));
      adjusted = adjusted.map((m, k) =>
        pairedMoments.push(m, units[k]?.value ?? 0, units[k]?.covariate ?? 0),
      );
      ratios = ratios.map((m, k) =>
        pairedMoments.push(m, units[k]?.value ?? 0, units[k]?.denominator ?? 1),
      );
      successes = successes.map((count, k) => count + ((units[k]?.value ?? 0) > 3 ? 1 : 0));
    }
    before = n;
    const [a = moments.empty, b = moments.empty] = values;
    const pair = (pairs: typeof ratios): { control: PairedSummary; treatment: PairedSummary } => ({
      control: pairedMoments.summary(pairs[0] ?? pairedMoments.empty),
      treatment: pairedMoments.summary(pairs[1] ?? pairedMoments.empty),
    });
    return {
      "two proportions": twoProportionTest({
        control: { n, successes: successes[0] ?? 0 },
        treatment: { n, successes: successes[1] ?? 0 },
      }),
      Welch: welchTest({ control: moments.summary(a), treatment: moments.summary(b) }),
      CUPED: cuped(pair(adjusted)),
      ratio: ratioTest(pair(ratios)),
    };
  });
}

function everyTest(): void {
  const experiments = 20_000;
  const sizes = [200, 400, 600, 800, 1000];
  heading(
    `${experiments} A/A experiments on skewed units, 5 looks to 1,000 a variant (seed 7)`,
    "false positives",
  );
  const random = seeded(7);
  const upper = bounds(equal(5), "obrien-fleming");
  const last = new Map<string, number[]>();
  const sequential = new Map<string, number>();
  for (let i = 0; i < experiments; i++) {
    const looks = allTests(random, sizes);
    for (const name of Object.keys(looks[0] ?? {})) {
      const path = looks.map((tests) => tests[name]?.z ?? 0);
      if (crosses(path, upper)) sequential.set(name, (sequential.get(name) ?? 0) + 1);
      last.set(name, (last.get(name) ?? []).concat(2 * normal.sf(Math.abs(path.at(-1) ?? 0))));
    }
  }
  const distances: string[] = [];
  for (const [name, p] of last) {
    row(
      `${name}, fixed sample, p < 0.05`,
      p.filter((value) => value < 0.05).length,
      experiments,
      "5 %",
    );
    row(
      `${name}, fixed sample, p < 0.01`,
      p.filter((value) => value < 0.01).length,
      experiments,
      "1 %",
    );
    row(`${name}, O'Brien–Fleming over the 5 looks`, sequential.get(name) ?? 0, experiments, "5 %");
    const sorted = p.toSorted((a, b) => a - b);
    const distance = Math.max(
      ...sorted.map((value, k) => Math.abs(value - (k + 0.5) / experiments)),
    );
    distances.push(`${name} ${distance.toFixed(4)}`);
  }
  const limit = (1.63 / Math.sqrt(experiments)).toFixed(4);
  console.log(
    `\nLargest distance of the p-values' distribution from uniform (Kolmogorov; 1 % limit ${limit}): ${distances.join(", ")}.`,
  );
}

const start = performance.now();
falsePositives();
power();
coverage();
sampleRatio();
everyTest();
console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
