/** What a changed flag does to units that have a variant already, and to those who read it: known before anybody is served. */

import { BUCKETS } from "../core/index.ts";
import type { Flag, Rule, SplitRule, WeightedVariant } from "../core/index.ts";
import { equals } from "../core/values.ts";

/** In words: another type, units that leave experiments, and per rule that moves somebody, exactly how many. */
export function movedUnits(before: Flag, after: Flag): string[] {
  return [...anotherType(before, after), ...leavers(before, after), ...reassigned(before, after)];
}

function anotherType(before: Flag, after: Flag): string[] {
  if (before.type === after.type) return [];
  return [`/type: whoever reads this flag as a ${before.type} gets their own default from now on.`];
}

/** A rule that comes before an experiment's takes units out of it. */
function leavers(before: Flag, after: Flag): string[] {
  return after.rules.flatMap((rule, at) => {
    if (!("experiment" in rule)) return [];
    const { experiment } = rule;
    const isIts = (each: Rule) => "experiment" in each && each.experiment === experiment;
    const placeBefore = before.rules.findIndex(isIts);
    if (placeBefore === -1) return [];
    const known = before.rules.slice(0, placeBefore);
    return after.rules
      .slice(0, at)
      .map((each, index) => ({ each, index }))
      .filter(({ each }) => !known.some((one) => isSame(one, each)))
      .map(
        ({ index }) =>
          `/rules/${index}: units that this rule serves leave the experiment ${experiment}; those that it has exposed stay counted in it.`,
      );
  });
}

function isSame({ when: before, ...one }: Rule, { when: after, ...other }: Rule): boolean {
  return equals(before ?? {}, after ?? {}) && JSON.stringify(one) === JSON.stringify(other);
}

/** Rules are the same ones when their conditions are. */
function reassigned(before: Flag, after: Flag): string[] {
  const known = splitsOf(before).map(({ rule }) => rule);
  return splitsOf(after).flatMap(({ rule, index }) => {
    const at = known.findIndex((each) => equals(each.when ?? {}, rule.when ?? {}));
    const [earlier] = at === -1 ? [] : known.splice(at, 1);
    return earlier === undefined ? [] : moved(earlier, rule, `/rules/${index}`);
  });
}

function splitsOf({ rules }: Flag): { rule: SplitRule; index: number }[] {
  return rules.flatMap((rule, index) => ("split" in rule ? [{ rule, index }] : []));
}

function moved(before: SplitRule, after: SplitRule, pointer: string): string[] {
  if (before.unit !== after.unit) {
    return [`${pointer}/unit: another unit assigns everybody anew whom this rule reaches.`];
  }
  const rolledBack = (before.rolloutBasisPoints ?? BUCKETS) - (after.rolloutBasisPoints ?? BUCKETS);
  const reassigned = reassignedBuckets(before.split, after.split);
  return [
    ...(rolledBack > 0
      ? [`${pointer}/rollout: ${rolledBack / 100} % of the units drop out of this rule.`]
      : []),
    ...(reassigned > 0
      ? [
          `${pointer}/split: the changed weights move ${reassigned / 100} % of the units that reach this split to another variant or out of it.`,
        ]
      : []),
  ];
}

/** Buckets that had a variant and have another one or none. */
function reassignedBuckets(
  before: readonly WeightedVariant[],
  after: readonly WeightedVariant[],
): number {
  const now = variantsByBucket(after);
  return variantsByBucket(before).reduce(
    (count, variant, bucket) => (variant === now[bucket] ? count : count + 1),
    0,
  );
}

function variantsByBucket(split: readonly WeightedVariant[]): string[] {
  return split.flatMap(({ variant, weightBasisPoints }) =>
    Array.from({ length: weightBasisPoints }, () => variant),
  );
}
