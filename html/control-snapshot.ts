/** What a snapshot serves to those who take part in no experiment: wherever one would assign, its control, and no exposure. */

import { readSnapshot } from "../contracts/read-snapshot.ts";
import { compile } from "../core/index.ts";
import type { CompiledSnapshot, Experiment, Rule } from "../core/index.ts";
import type { Published } from "../stores/snapshot-store.ts";

const compiled = new WeakMap<Published, CompiledSnapshot>();

export function controlOf(published: Published): CompiledSnapshot {
  const known = compiled.get(published);
  if (known !== undefined) return known;
  const snapshot = readSnapshot(published.text);
  const experiments = new Map(snapshot.experiments.map((each) => [each.key, each]));
  const made = compile({
    ...snapshot,
    flags: snapshot.flags.map((flag) => ({
      ...flag,
      rules: flag.rules.map((rule) => withControl(rule, experiments)),
    })),
  });
  compiled.set(published, made);
  return made;
}

function withControl(rule: Rule, experiments: ReadonlyMap<string, Experiment>): Rule {
  const experiment = "experiment" in rule ? experiments.get(rule.experiment) : undefined;
  if (experiment === undefined) return rule;
  const { control, targeting } = experiment;
  const conditions = [rule.when, targeting].filter((condition) => condition !== undefined);
  return conditions.length === 0
    ? { serve: control }
    : { when: { $and: conditions }, serve: control };
}
