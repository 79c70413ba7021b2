/// <reference types="node" />
/**
 * How long one evaluation takes, and what a large configuration costs. Run it alone: `node bench/evaluate.ts`.
 * Every row is the median of several runs over many different units, so that no answer is ever cached.
 */
import { gzipSync } from "node:zlib";
import { compile, evaluate, evaluateAll, hash32 } from "../core/index.ts";
import type { CompiledSnapshot, Context, Experiment, Flag, Snapshot } from "../core/index.ts";

const RUNS = 9;
const NOW_MS = 1_767_225_600_000;

const contexts: Context[] = Array.from({ length: 1000 }, (_, i) => ({
  targetingKey: `user-${i * 7919}-5f0c9a`,
  country: i % 3 === 0 ? "US" : "DE",
  plan: "team",
  version: "16.4.1",
  age: 20 + (i % 50),
}));

/** As incompressible as the salts that are minted, but the same in every run. */
function saltOf(name: string): string {
  return [0, 1, 2, 3].map((i) => hash32(`${name}${i}`).toString(16).padStart(8, "0")).join("");
}

function experimentOf(key: string): Experiment {
  return {
    key,
    hashVersion: 1,
    phase: 1,
    salt: saltOf(`${key}-v`),
    unit: "targetingKey",
    control: "control",
    variants: [
      { variant: "control", weightBasisPoints: 5000 },
      { variant: "treatment", weightBasisPoints: 5000 },
    ],
    targeting: { country: { $in: ["US", "CA", "DE"] }, version: { $vgte: "16.0" } },
    layer: null,
    layerSalt: saltOf(`${key}-l`),
    slots: [[0, 8000]],
  };
}

function flagOf(key: string, rules: Flag["rules"]): Flag {
  return {
    key,
    type: "string",
    variants: [
      { key: "control", value: "one page" },
      { key: "treatment", value: "three pages" },
    ],
    defaultVariant: "control",
    enabled: true,
    salt: saltOf(key),
    rules,
  };
}

function snapshotOf(flags: Flag[], experiments: Experiment[]): Snapshot {
  return {
    formatVersion: 1,
    environment: "bench",
    version: 1,
    flags,
    experiments,
    holdouts: [],
    segments: [],
  };
}

function experiments(count: number): Snapshot {
  const keys = Array.from({ length: count }, (_, i) => `experiment_${i}`);
  return snapshotOf(
    keys.map((key) => flagOf(key, [{ experiment: key }])),
    keys.map(experimentOf),
  );
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What every run adds to, so that nothing is optimised away. */
let served = 0;

/** Nanoseconds per call. */
function nanoseconds(calls: number, call: (context: Context) => unknown): number {
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) {
      const context = contexts[i % contexts.length];
      if (context !== undefined && call(context) !== undefined) served++;
    }
    runs.push(((performance.now() - start) * 1e6) / calls);
  }
  return median(runs);
}

function oneOf(compiled: CompiledSnapshot, key: string): number {
  return nanoseconds(200_000, (context) => evaluate(compiled, key, context, NOW_MS).value);
}

function milliseconds(work: () => number): number {
  const runs = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    served += work();
    return performance.now() - start;
  });
  return median(runs);
}

const split = [
  { variant: "control", weightBasisPoints: 5000 },
  { variant: "treatment", weightBasisPoints: 5000 },
];
const country = { country: { $in: ["US", "CA", "DE"] } };
const simple = compile(
  snapshotOf(
    [
      flagOf("plain", []),
      flagOf("served", [{ serve: "treatment" }]),
      flagOf("targeted", [{ when: { country: "FR" }, serve: "treatment" }]),
      flagOf("split", [{ when: country, unit: "targetingKey", split }]),
    ],
    [],
  ),
);
const ten = compile(experiments(10));
const hundred = compile(
  snapshotOf(
    Array.from({ length: 100 }, (_, i) => {
      if (i % 4 === 0) return flagOf(`f${i}`, []);
      if (i % 4 === 1) return flagOf(`f${i}`, [{ when: { plan: "team" }, serve: "treatment" }]);
      if (i % 4 === 2) return flagOf(`f${i}`, [{ unit: "targetingKey", split }]);
      return flagOf(`f${i}`, [{ experiment: `f${i}` }]);
    }),
    Array.from({ length: 100 }, (_, i) => experimentOf(`f${i}`)),
  ),
);
const published = experiments(10_000);
const text = JSON.stringify(published);
const large = compile(published);

const rows: [name: string, figure: string][] = [
  ["flag without rules", `${oneOf(simple, "plain").toFixed(0)} ns`],
  ["flag that serves a variant", `${oneOf(simple, "served").toFixed(0)} ns`],
  ["flag with one condition", `${oneOf(simple, "targeted").toFixed(0)} ns`],
  ["targeting ($in) + split", `${oneOf(simple, "split").toFixed(0)} ns`],
  ["targeting ($in, $vgte) + experiment, of 10", `${oneOf(ten, "experiment_5").toFixed(0)} ns`],
  ["the same, of 10,000", `${oneOf(large, "experiment_5000").toFixed(0)} ns`],
  [
    "100 flags for one user",
    `${(nanoseconds(2000, (context) => evaluateAll(hundred, context, NOW_MS)) / 1000).toFixed(1)} µs`,
  ],
  [
    "10,000 experiments: compile",
    `${milliseconds(() => compile(published).flags.size).toFixed(1)} ms`,
  ],
  [
    "10,000 experiments: compile and serve each, once",
    `${milliseconds(() => evaluateAll(compile(published), { targetingKey: "user" }).length).toFixed(1)} ms`,
  ],
  ["10,000 experiments: snapshot", `${(text.length / 1024).toFixed(0)} KiB`],
  ["10,000 experiments: gzip", `${(gzipSync(text).length / 1024).toFixed(0)} KiB`],
];

console.table(Object.fromEntries(rows.map(([name, figure]) => [name, { median: figure }])));
if (served === 0) throw new Error("nothing was served");
