/// <reference types="node" />
/** What the evaluation benches ask: flags in the words of no evaluator, the contexts, and the flags as Edgewise's snapshot. */
import { hash32 } from "../core/index.ts";
import type { Condition, Experiment, Flag, Rule, Snapshot } from "../core/index.ts";

export const DEFAULT_VALUE = "one page";
export const TREATMENT_VALUE = "three pages";

/** Of a split and of an experiment: half and half. */
export const TRAFFIC_PERCENT = 80;

/**
 * `plain`: its default for everybody. `served`: the treatment where `plan` is `team`. `split`: where country and version match, half
 * and half. `experiment`: the same for 80 % of the units. `split to all`: half and half without a condition.
 */
export type Kind = "plain" | "served" | "split" | "split to all" | "experiment";

export interface AskedFlag {
  key: string;
  kind: Kind;
}

export interface AskedContext {
  [attribute: string]: string | number;
  targetingKey: string;
  country: string;
  plan: string;
  version: string;
  age: number;
}

export const countries = ["US", "CA", "DE"];
export const leastVersion = "16.0";

/** Nine of ten are in the targeted countries; all have the version; two of three are teams. */
export const contexts: AskedContext[] = Array.from({ length: 1000 }, (_, i) => ({
  targetingKey: `user-${i * 7919}-5f0c9a`,
  country: i % 10 === 0 ? "FR" : (countries[i % 3] ?? "US"),
  plan: i % 3 === 0 ? "free" : "team",
  version: "16.4.1",
  age: 20 + (i % 50),
}));

export const mixedFlags: AskedFlag[] = Array.from({ length: 100 }, (_, i) => ({
  key: `mixed_${i}`,
  kind: (["plain", "served", "split to all", "experiment"] as const)[i % 4] ?? "plain",
}));

export function experimentFlags(count: number): AskedFlag[] {
  return Array.from({ length: count }, (_, i) => ({ key: `experiment_${i}`, kind: "experiment" }));
}

/** As incompressible as the salts that are minted, but the same in every run. */
function saltOf(name: string): string {
  return [0, 1, 2, 3].map((i) => hash32(`${name}${i}`).toString(16).padStart(8, "0")).join("");
}

const half = [
  { variant: "control", weightBasisPoints: 5000 },
  { variant: "treatment", weightBasisPoints: 5000 },
];
const targeting: Condition = { country: { $in: countries }, version: { $vgte: leastVersion } };

function rulesOf({ key, kind }: AskedFlag): Rule[] {
  switch (kind) {
    case "plain":
      return [];
    case "served":
      return [{ when: { plan: "team" }, serve: "treatment" }];
    case "split":
      return [{ when: targeting, unit: "targetingKey", split: half }];
    case "split to all":
      return [{ unit: "targetingKey", split: half }];
    case "experiment":
      return [{ experiment: key }];
  }
}

function flagOf(asked: AskedFlag): Flag {
  return {
    key: asked.key,
    type: "string",
    variants: [
      { key: "control", value: DEFAULT_VALUE },
      { key: "treatment", value: TREATMENT_VALUE },
    ],
    defaultVariant: "control",
    enabled: true,
    salt: saltOf(asked.key),
    rules: rulesOf(asked),
  };
}

function experimentOf({ key }: AskedFlag): Experiment {
  return {
    key,
    hashVersion: 1,
    phase: 1,
    salt: saltOf(`${key}-v`),
    unit: "targetingKey",
    control: "control",
    variants: half,
    targeting,
    layer: null,
    layerSalt: saltOf(`${key}-l`),
    slots: [[0, TRAFFIC_PERCENT * 100]],
  };
}

export function snapshotOf(flags: readonly AskedFlag[]): Snapshot {
  return {
    formatVersion: 1,
    environment: "bench",
    version: 1,
    flags: flags.map(flagOf),
    experiments: flags.filter(({ kind }) => kind === "experiment").map(experimentOf),
    holdouts: [],
    segments: [],
  };
}
