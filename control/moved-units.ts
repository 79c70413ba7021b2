/** What a changed flag does to units that have a variant already. Assignment is by bucket, so this is exact, and known before anybody is served. */

import { BUCKETS } from "../core/index.ts";
import type { Flag, SplitRule, WeightedVariant } from "../core/index.ts";
import { equals } from "../core/values.ts";

/** In words, per rule that moves somebody; rules are the same ones when their conditions are. */
export function movedUnits(before: Flag, after: Flag): string[] {
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
