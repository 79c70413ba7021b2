/** A flag in its two forms: as people write it, in percentages, and as it is kept and evaluated, in basis points. Each gives back the other. */

import type { FlagBody, RuleBody } from "../contracts/flag.ts";
import { TARGETING_KEY } from "../core/index.ts";
import type { Flag, Rule } from "../core/index.ts";

/** The body must have passed `checkFlag`. */
export function storedFlag({ rules, ...body }: FlagBody, salt: string): Flag {
  return { ...body, salt, rules: rules.map(storedRule) };
}

function storedRule({ when, serve, unit, rollout, split, experiment }: RuleBody): Rule {
  const condition = when === undefined ? {} : { when };
  if (serve !== undefined) return { ...condition, serve };
  if (experiment !== undefined) return { ...condition, experiment };
  return {
    ...condition,
    unit: unit ?? TARGETING_KEY,
    ...(rollout !== undefined && { rolloutBasisPoints: Math.round(rollout * 100) }),
    split: (split ?? []).map(({ variant, weight }) => ({
      variant,
      weightBasisPoints: Math.round(weight * 100),
    })),
  };
}

export function authoredFlag({ rules, ...flag }: Flag): FlagBody {
  return { ...flag, rules: rules.map(authoredRule) };
}

function authoredRule(rule: Rule): RuleBody {
  if (!("split" in rule)) return rule;
  const { rolloutBasisPoints, split, ...rest } = rule;
  return {
    ...rest,
    ...(rolloutBasisPoints !== undefined && { rollout: rolloutBasisPoints / 100 }),
    split: split.map(({ variant, weightBasisPoints }) => ({
      variant,
      weight: weightBasisPoints / 100,
    })),
  };
}
