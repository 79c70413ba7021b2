/**
 * Whether a rule takes in a unit, before its variant is chosen: an experiment's schedule, targeting, holdouts and
 * traffic; a split's rollout. Traffic and rollout only ever add units as they grow, because a unit's bucket stays.
 */
import type { CompiledFlag, CompiledExperiment, CompiledSplit } from "./compile-flag.ts";
import { bucket } from "./hash.ts";
import type { Question } from "./question.ts";
import { unitIdOf } from "./unit.ts";

/** Whether the rule takes in such contexts now, whichever unit they are. */
export function isOpen(
  flag: CompiledFlag,
  rule: CompiledExperiment | CompiledSplit,
  { context, nowMs, trace }: Question,
): boolean {
  if (rule.kind === "split") return true;
  const running = !(nowMs < rule.startAt || nowMs >= rule.endAt);
  trace?.note(flag, rule, "running", running, rule.experiment);
  if (!running) return false;
  const targeted = rule.targeting === null || rule.targeting(context);
  trace?.note(flag, rule, "targeting", targeted);
  return targeted;
}

/** Whether an open rule reaches this unit. */
export function reaches(
  flag: CompiledFlag,
  rule: CompiledExperiment | CompiledSplit,
  unit: string,
  question: Question,
): boolean {
  return rule.kind === "split"
    ? isRolledOut(flag, rule, unit, question)
    : !isHeldOut(flag, rule, question) && isInTraffic(flag, rule, unit, question);
}

function isRolledOut(flag: CompiledFlag, rule: CompiledSplit, unit: string, { trace }: Question) {
  if (rule.rollout === null) return true;
  const at = bucket(rule.rollout.salt, unit);
  const inside = at < rule.rollout.basisPoints;
  trace?.hashed(flag, rule, "rollout", inside, { salt: rule.rollout.salt, unit, bucket: at });
  return inside;
}

/** A context without the holdout's unit is not held out. */
function isHeldOut(flag: CompiledFlag, rule: CompiledExperiment, { context, trace }: Question) {
  return rule.holdouts.some(({ key, salt, unit: kind, basisPoints }) => {
    const unit = unitIdOf(context, kind);
    if (unit === null) return false;
    const at = bucket(salt, unit);
    const held = at < basisPoints;
    trace?.hashed(flag, rule, "holdout", !held, { salt, unit, bucket: at }, key);
    return held;
  });
}

/** Layer 1. */
function isInTraffic(
  flag: CompiledFlag,
  rule: CompiledExperiment,
  unit: string,
  { trace }: Question,
) {
  const at = bucket(rule.layerSalt, unit);
  const inside = rule.slots.some(({ start, end }) => at >= start && at < end);
  trace?.hashed(flag, rule, "traffic", inside, { salt: rule.layerSalt, unit, bucket: at });
  return inside;
}
