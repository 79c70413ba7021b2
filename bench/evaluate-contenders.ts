/// <reference types="node" />
/**
 * The evaluators that are compared, each with the same flags in its own words and asked in the way that is fastest for it:
 * GrowthBook's client for many users (an instance for one is slower), with a user's context made beforehand, and flagd's core,
 * interpreting its rules.
 */
import { GrowthBookClient } from "@growthbook/growthbook";
import type { FeatureDefinitions } from "@growthbook/growthbook";
import { FlagdCore } from "@openfeature/flagd-core";
import { compile, evaluate, evaluateAll } from "../core/index.ts";
import {
  countries,
  DEFAULT_VALUE,
  leastVersion,
  snapshotOf,
  TRAFFIC_PERCENT,
  TREATMENT_VALUE,
} from "./evaluate-flags.ts";
import type { AskedContext, AskedFlag } from "./evaluate-flags.ts";

const NOW_MS = 1_767_225_600_000;

export interface Contender {
  name: string;
  /** The value that the flag has for `contexts[index]`. */
  valueOf: (key: string, index: number) => unknown;
  /** How many values there are for `contexts[index]`, all flags evaluated. */
  evaluateAll: (index: number) => number;
}

type Make = (flags: readonly AskedFlag[], contexts: readonly AskedContext[]) => Contender;

function at<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error("no contexts");
  return item;
}

const edgewise: Make = (flags, contexts) => {
  const compiled = compile(snapshotOf(flags));
  return {
    name: "Edgewise",
    valueOf: (key, index) => evaluate(compiled, key, at(contexts, index), NOW_MS).value,
    evaluateAll: (index) => evaluateAll(compiled, at(contexts, index), NOW_MS).length,
  };
};

function growthBookRules({ key, kind }: AskedFlag): FeatureDefinitions[string]["rules"] & object {
  const condition = { country: { $in: countries }, version: { $vgte: leastVersion } };
  const split = {
    key,
    variations: [DEFAULT_VALUE, TREATMENT_VALUE],
    weights: [0.5, 0.5],
    meta: [{ key: "control" }, { key: "treatment" }],
    hashAttribute: "targetingKey",
    hashVersion: 2,
    seed: `seed of ${key}`,
  };
  switch (kind) {
    case "plain":
      return [];
    case "served":
      return [{ condition: { plan: "team" }, force: TREATMENT_VALUE }];
    case "split":
      return [{ ...split, condition }];
    case "split to all":
      return [split];
    case "experiment":
      return [{ ...split, condition, coverage: TRAFFIC_PERCENT / 100 }];
  }
}

const growthBook: Make = (flags, contexts) => {
  const features = Object.fromEntries(
    flags.map((flag) => [flag.key, { defaultValue: DEFAULT_VALUE, rules: growthBookRules(flag) }]),
  );
  const client = new GrowthBookClient<Record<string, string>>().initSync({ payload: { features } });
  const users = contexts.map((attributes) => ({ attributes }));
  const keys = Object.keys(features);
  return {
    name: "GrowthBook",
    valueOf: (key, index) => client.evalFeature(key, at(users, index)).value,
    evaluateAll: (index) => {
      const user = at(users, index);
      return keys.map((key) => client.evalFeature(key, user)).length;
    },
  };
};

function flagdTargeting({ kind }: AskedFlag): object {
  const isTargeted = {
    and: [
      { in: [{ var: "country" }, countries] },
      { sem_ver: [{ var: "version" }, ">=", leastVersion] },
    ],
  };
  const half = {
    fractional: [
      ["control", 50],
      ["treatment", 50],
    ],
  };
  const inTraffic = TRAFFIC_PERCENT / 2;
  switch (kind) {
    case "plain":
      return {};
    case "served":
      return { if: [{ "===": [{ var: "plan" }, "team"] }, "treatment", null] };
    case "split":
      return { if: [isTargeted, half, null] };
    case "split to all":
      return half;
    case "experiment":
      return {
        if: [
          isTargeted,
          {
            fractional: [
              ["control", inTraffic],
              ["treatment", inTraffic],
              [null, 100 - TRAFFIC_PERCENT],
            ],
          },
          null,
        ],
      };
  }
}

const flagd: Make = (flags, contexts) => {
  const core = new FlagdCore(undefined, undefined, { disableDynamicCodeGeneration: true });
  const definitions = flags.map((flag): [key: string, definition: object] => [
    flag.key,
    {
      state: "ENABLED",
      variants: { control: DEFAULT_VALUE, treatment: TREATMENT_VALUE },
      defaultVariant: "control",
      targeting: flagdTargeting(flag),
    },
  ]);
  core.setConfigurations(JSON.stringify({ flags: Object.fromEntries(definitions) }));
  return {
    name: "flagd-core",
    valueOf: (key, index) => core.resolveStringEvaluation(key, "", at(contexts, index)).value,
    evaluateAll: (index) => core.resolveAll(at(contexts, index)).length,
  };
};

/** Edgewise first. */
export const contenders: readonly Make[] = [edgewise, growthBook, flagd];
