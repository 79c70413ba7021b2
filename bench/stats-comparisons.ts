/** 500,000 comparisons of every kind with their sequential readings on one core: what a refresh of 10,000 experiments asks for. */
import {
  alwaysValidTest,
  cuped,
  groupSequentialBounds,
  normalPosterior,
  ratioTest,
  repeatedProportionInterval,
  twoProportionTest,
  welchTest,
} from "../stats/index.ts";
import type { Comparison, PairedSummary, Proportion, Summary } from "../stats/index.ts";
import { seeded } from "./stats-random.ts";

const COMPARISONS = 500_000;
const random = seeded(20261120);
const { upper } = groupSequentialBounds({
  fractions: [0.2, 0.4, 0.6, 0.8, 1],
  alpha: 0.05,
  sides: 2,
  spending: "obrien-fleming",
});

type Case =
  | { readonly kind: "proportion"; readonly control: Proportion; readonly treatment: Proportion }
  | { readonly kind: "mean"; readonly control: Summary; readonly treatment: Summary }
  | {
      readonly kind: "ratio" | "cuped";
      readonly control: PairedSummary;
      readonly treatment: PairedSummary;
    };

const size = (): number => Math.round(500 * 10 ** (3 * random.uniform()));
const proportion = (rate: number): Proportion => {
  const n = size();
  const successes = Math.round(n * rate + random.gaussian() * Math.sqrt(n * rate * (1 - rate)));
  return { n, successes: Math.min(n, Math.max(0, successes)) };
};
const summary = (): Summary => ({
  n: size(),
  mean: 10 + random.gaussian() / 10,
  variance: 4 + random.uniform(),
});
const pair = (): PairedSummary => ({
  n: size(),
  meanY: 10 + random.gaussian() / 10,
  meanX: 5 + random.gaussian() / 20,
  varianceY: 9,
  varianceX: 4,
  covariance: 6 * (0.3 + random.uniform() / 2),
});

const KINDS = ["proportion", "mean", "cuped", "ratio"] as const;

function caseOf(kind: (typeof KINDS)[number]): Case {
  if (kind === "proportion") {
    const rate = 0.01 + 0.2 * random.uniform();
    return { kind, control: proportion(rate), treatment: proportion(rate) };
  }
  if (kind === "mean") return { kind, control: summary(), treatment: summary() };
  return { kind, control: pair(), treatment: pair() };
}

function compare(data: Case): Comparison {
  switch (data.kind) {
    case "proportion":
      return twoProportionTest(data);
    case "mean":
      return welchTest(data);
    case "cuped":
      return cuped(data);
    case "ratio":
      return ratioTest(data);
  }
  throw new Error("no such kind");
}

/** Repeated interval, crossing, always-valid p and sequence, and the posterior: what is shown beside the fixed-sample figures. */
function sequentialReadings(data: Case, result: Comparison, look: number): number {
  const { effect, standardError, z } = result;
  if (effect === null || standardError === null || z === null) return 0;
  const bound = upper[look] ?? Infinity;
  const repeated =
    data.kind === "proportion"
      ? repeatedProportionInterval({ ...data, bound })
      : [effect - bound * standardError, effect + bound * standardError];
  const { pValue } = alwaysValidTest({ effect, standardError, mixingVariance: 1e-3, alpha: 0.05 });
  const { probabilityBetter } = normalPosterior({
    estimate: effect,
    standardError,
    prior: { mean: 0, standardDeviation: 1 },
  });
  return (
    (repeated?.[0] ?? 0) + (pValue ?? 0) + (probabilityBetter ?? 0) + (Math.abs(z) > bound ? 1 : 0)
  );
}

/** Milliseconds. */
function run(cases: readonly Case[]): number {
  const start = performance.now();
  let checksum = 0;
  cases.forEach((data, i) => {
    const result = compare(data);
    checksum += sequentialReadings(data, result, i % upper.length);
  });
  if (!Number.isFinite(checksum)) throw new Error("a reading was not finite");
  return performance.now() - start;
}

console.log(
  "| comparisons, each with repeated interval, always-valid test and posterior | seconds | µs each |",
);
console.log("|---|---|---|");
const all: Case[] = [];
for (const kind of KINDS) {
  const cases = Array.from({ length: COMPARISONS / KINDS.length }, () => caseOf(kind));
  run(cases.slice(0, 5000));
  const milliseconds = run(cases);
  console.log(
    `| ${cases.length} ${kind} | ${(milliseconds / 1000).toFixed(2)} | ${((1000 * milliseconds) / cases.length).toFixed(1)} |`,
  );
  for (const data of cases) all.push(data);
}
const milliseconds = run(all);
console.log(
  `| ${all.length} mixed | ${(milliseconds / 1000).toFixed(2)} | ${((1000 * milliseconds) / all.length).toFixed(1)} |`,
);
