/**
 * From a flag as published to what `evaluate` reads: everything that can be decided once is decided here.
 * What is wrong in a flag becomes an ERROR when it would be served.
 */
import { compileCondition } from "./conditions.ts";
import type { SegmentSets, Test } from "./operators.ts";
import type {
  Condition,
  Experiment,
  Flag,
  Holdout,
  Json,
  Reason,
  SplitRule,
  WeightedVariant,
} from "./types.ts";

/** A longer chain of prerequisites is refused: it would be walked at every evaluation. */
const DEEPEST_PREREQUISITES = 100;

/** A variant of the flag; without value when the flag has none of that key. */
export interface Choice {
  variant: string;
  value: Json | undefined;
}

/** The choice of the buckets from the previous share's end up to `end`. */
export interface Share {
  end: number;
  choice: Choice;
}

/** What every compiled rule has. */
interface Conditioned {
  /** Position among the flag's rules, from 0. */
  index: number;
  when: Test | null;
}

/** Which unit is assigned, and how its bucket under the salt chooses. */
interface Assigning extends Conditioned {
  unit: string;
  salt: string;
  shares: readonly Share[];
}

interface CompiledServe extends Conditioned {
  kind: "serve";
  choice: Choice;
  reason: Reason;
}

export interface CompiledSplit extends Assigning {
  kind: "split";
  rollout: { salt: string; basisPoints: number } | null;
}

export interface CompiledExperiment extends Assigning {
  kind: "experiment";
  experiment: string;
  phase: number;
  startAt: number;
  endAt: number;
  targeting: Test | null;
  holdouts: readonly Holdout[];
  layerSalt: string;
  /** Buckets from `start` up to `end`. */
  slots: readonly { start: number; end: number }[];
}

/** The rule of an experiment that is not running. */
interface CompiledStop extends Conditioned {
  kind: "stopped";
  experiment: string;
}

export type CompiledRule = CompiledServe | CompiledSplit | CompiledExperiment | CompiledStop;

export interface CompiledFlag {
  key: string;
  enabled: boolean;
  /** Served when disabled or a prerequisite is not met; null when there is then no value. */
  off: Choice | null;
  fallback: Choice;
  prerequisites: readonly { flag: string; variants: ReadonlySet<string> }[] | null;
  /** Why the prerequisites cannot be evaluated, if they cannot. */
  fault: string | null;
  /** By the unit's id. */
  overrides: ReadonlyMap<string, Choice> | null;
  rules: readonly CompiledRule[];
  fallbackReason: Reason;
}

type Choose = (variant: string) => Choice;

export interface Scope {
  segments: SegmentSets;
  experiments: ReadonlyMap<string, Experiment>;
  /** Holdouts by layer; under null, those of experiments outside any layer. */
  holdoutsOf: (layer: string | null) => readonly Holdout[];
  depths: ReadonlyMap<string, number>;
}

/** `scope` is what the flag may refer to in its snapshot. */
export function compileFlag(flag: Flag, scope: Scope): CompiledFlag {
  const { variants } = flag;
  const choose: Choose = (variant) => ({
    variant,
    value: variants.findLast(({ key }) => key === variant)?.value,
  });
  const overrides = compileOverrides(flag, choose);
  const prerequisites = compilePrerequisites(flag);
  const rulesAlone = overrides === null && prerequisites === null;
  return {
    key: flag.key,
    enabled: flag.enabled,
    off: flag.offVariant === undefined ? null : choose(flag.offVariant),
    fallback: choose(flag.defaultVariant),
    fallbackReason: rulesAlone && flag.rules.length === 0 ? "STATIC" : "DEFAULT",
    prerequisites,
    fault: faultOf(scope.depths.get(flag.key)),
    overrides,
    rules: flag.rules.map((rule, index) => {
      const when = compileOptional(rule.when, scope);
      if ("serve" in rule) {
        const isStatic = rulesAlone && index === 0 && when === null;
        const reason = isStatic ? "STATIC" : "TARGETING_MATCH";
        return { index, when, kind: "serve", choice: choose(rule.serve), reason };
      }
      return "split" in rule
        ? compileSplit(rule, { index, when }, flag.salt, choose)
        : compileExperiment(rule.experiment, { index, when }, scope, choose);
    }),
  };
}

function compileOverrides({ overrides = {} }: Flag, choose: Choose): CompiledFlag["overrides"] {
  const choices = Object.entries(overrides).flatMap(([variant, units]) => {
    const choice = choose(variant);
    return units.map((unit): [string, Choice] => [unit, choice]);
  });
  return choices.length === 0 ? null : new Map(choices);
}

function compilePrerequisites({ prerequisites = [] }: Flag): CompiledFlag["prerequisites"] {
  return prerequisites.length === 0
    ? null
    : prerequisites.map(({ flag, variants }) => ({ flag, variants: new Set(variants) }));
}

function compileOptional(condition: Condition | undefined, scope: Scope): Test | null {
  return condition === undefined ? null : compileCondition(condition, scope.segments);
}

function compileShares(weights: readonly WeightedVariant[], choose: Choose): Share[] {
  let end = 0;
  return weights.map(({ variant, weightBasisPoints }) => ({
    end: (end += weightBasisPoints),
    choice: choose(variant),
  }));
}

function compileSplit(
  { unit, split, rolloutBasisPoints: basisPoints }: SplitRule,
  { index, when }: Conditioned,
  salt: string,
  choose: Choose,
): CompiledSplit {
  return {
    index,
    when,
    kind: "split",
    unit,
    salt,
    shares: compileShares(split, choose),
    rollout: basisPoints === undefined ? null : { salt: `${salt}:rollout`, basisPoints },
  };
}

function compileExperiment(
  key: string,
  { index, when }: Conditioned,
  scope: Scope,
  choose: Choose,
): CompiledExperiment | CompiledStop {
  const running = scope.experiments.get(key);
  if (running === undefined) return { index, when, kind: "stopped", experiment: key };
  return {
    index,
    when,
    kind: "experiment",
    experiment: key,
    phase: running.phase,
    startAt: running.startAt ?? -Infinity,
    endAt: running.endAt ?? Infinity,
    targeting: compileOptional(running.targeting, scope),
    holdouts: scope.holdoutsOf(running.layer),
    layerSalt: running.layerSalt,
    slots: running.slots.map(([start, end]) => ({ start, end })),
    unit: running.unit,
    salt: running.salt,
    shares: compileShares(running.variants, choose),
  };
}

function faultOf(depth: number | undefined): string | null {
  if (depth === undefined) return "the prerequisites form a cycle";
  return depth > DEEPEST_PREREQUISITES
    ? `the prerequisites are nested deeper than ${DEEPEST_PREREQUISITES}`
    : null;
}
