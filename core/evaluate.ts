/**
 * The one decision: what a flag serves to a context. In this order: disabled, prerequisites, an override for the
 * unit, the rules, the default. Never throws, does no I/O, has no clock and remembers nothing between two calls:
 * the same snapshot and context always get the same answer. The exposure is returned, never sent.
 */
import type {
  Choice,
  CompiledFlag,
  CompiledRule,
  CompiledSnapshot,
  ExperimentRule,
  SplitRule,
} from "./compile.ts";
import { bucket } from "./hash.ts";
import type { Trace } from "./trace.ts";
import type { Context, Evaluation, EvaluationErrorCode, Reason } from "./types.ts";
import { TARGETING_KEY, unitIdOf } from "./unit.ts";
import { isRecord } from "./values.ts";

export interface Question {
  compiled: CompiledSnapshot;
  context: Context;
  /** Epoch milliseconds; NaN when there is no clock, and then no experiment is too early or too late. */
  nowMs: number;
  /** Each prerequisite is decided once, however many flags need it. */
  decided?: Map<string, Evaluation>;
  /** Told every step, when somebody wants an explanation. */
  trace?: Trace;
}

/** What `flagKey` serves to `context` at `nowMs` (epoch milliseconds). */
export function evaluate(
  compiled: CompiledSnapshot,
  flagKey: string,
  context: Context,
  nowMs = Number.NaN,
): Evaluation {
  return answer(flagKey, { compiled, context, nowMs });
}

/** Every flag of the snapshot, in its order, each as `evaluate` would answer. */
export function evaluateAll(
  compiled: CompiledSnapshot,
  context: Context,
  nowMs = Number.NaN,
): Evaluation[] {
  const question = { compiled, context, nowMs, decided: new Map<string, Evaluation>() };
  return Array.from(compiled.flags.keys(), (flagKey) => answer(flagKey, question));
}

export function answer(flagKey: string, question: Question): Evaluation {
  const flag = question.compiled.flags.get(flagKey);
  if (flag === undefined) return failed(flagKey, "FLAG_NOT_FOUND", "there is no such flag");
  if (!isRecord(question.context)) {
    return failed(flagKey, "INVALID_CONTEXT", "the context is not an object");
  }
  try {
    return decide(flag, question);
  } catch {
    // Not by plain data: an attribute is a getter or a proxy, and throws.
    return failed(flagKey, "INVALID_CONTEXT", "the context cannot be read");
  }
}

function decide(flag: CompiledFlag, question: Question): Evaluation {
  const { context, trace } = question;
  trace?.note(flag, null, "enabled", flag.enabled);
  if (!flag.enabled) return serveOff(flag);

  if (flag.prerequisites.length > 0) {
    if (flag.fault !== null) return failed(flag.key, "GENERAL", flag.fault);
    if (!flag.prerequisites.every((one) => isMet(flag, one, question))) return serveOff(flag);
  }

  if (flag.overrides !== null) {
    const unit = unitIdOf(context, TARGETING_KEY);
    const override = unit === null ? undefined : flag.overrides.get(unit);
    trace?.note(flag, null, "override", override !== undefined);
    if (override !== undefined) return serve(flag, override, "TARGETING_MATCH");
  }

  let keyMissing = false;
  for (const rule of flag.rules) {
    const matched = rule.when === null || rule.when(context);
    trace?.note(flag, rule, "when", matched);
    if (!matched) continue;
    const served = apply(flag, rule, question);
    if (typeof served === "object") return served;
    keyMissing ||= served === "no targeting key";
  }

  trace?.note(flag, null, "default", true);
  const byDefault = serve(flag, flag.fallback, flag.fallbackReason);
  return keyMissing ? { ...byDefault, errorCode: "TARGETING_KEY_MISSING" } : byDefault;
}

function isMet(
  flag: CompiledFlag,
  { flag: key, variants }: CompiledFlag["prerequisites"][number],
  question: Question,
): boolean {
  const decided = (question.decided ??= new Map());
  const evaluation = decided.get(key) ?? answer(key, question);
  decided.set(key, evaluation);
  const met = evaluation.variant !== undefined && variants.has(evaluation.variant);
  question.trace?.note(flag, null, "prerequisite", met, key);
  return met;
}

/** What a rule whose condition matches serves, or why it is the next one's turn. */
function apply(
  flag: CompiledFlag,
  rule: CompiledRule,
  question: Question,
): Evaluation | "next rule" | "no targeting key" {
  const { context, trace } = question;
  if (rule.kind === "serve") return serve(flag, rule.choice, rule.reason);
  if (rule.kind === "stopped") {
    trace?.note(flag, rule, "running", false, rule.experiment);
    return "next rule";
  }
  if (rule.kind === "experiment" && !isOpen(flag, rule, question)) return "next rule";

  const unit = unitIdOf(context, rule.unit);
  trace?.note(flag, rule, "unit", unit !== null, rule.unit);
  if (unit === null) return rule.unit === TARGETING_KEY ? "no targeting key" : "next rule";

  const reached =
    rule.kind === "experiment"
      ? !isHeldOut(flag, rule, question) && isInSlots(flag, rule, unit, trace)
      : isInRollout(flag, rule, unit, trace);
  if (!reached) return "next rule";

  const at = bucket(rule.salt, unit);
  const choice = rule.shares.find((share) => at < share.end)?.choice;
  trace?.hashed(flag, rule, "variant", choice !== undefined, rule.salt, unit, at);
  if (choice === undefined) return "next rule";
  const evaluation = serve(flag, choice, "SPLIT");
  if (rule.kind === "experiment" && evaluation.variant !== undefined) {
    const { experiment, phase, unit: kind } = rule;
    evaluation.exposure = { experiment, phase, variant: evaluation.variant, kind, unit };
  }
  return evaluation;
}

/** Whether the experiment takes in such contexts at all, whichever unit they are. */
function isOpen(flag: CompiledFlag, rule: ExperimentRule, { context, nowMs, trace }: Question) {
  const early = nowMs < rule.startAt;
  const late = nowMs >= rule.endAt;
  trace?.note(flag, rule, "running", !early && !late, rule.experiment);
  if (early || late) return false;
  const targeted = rule.targeting === null || rule.targeting(context);
  trace?.note(flag, rule, "targeting", targeted);
  return targeted;
}

/** A context without the holdout's unit is not held out. */
function isHeldOut(flag: CompiledFlag, rule: ExperimentRule, { context, trace }: Question) {
  return rule.holdouts.some((holdout) => {
    const unit = unitIdOf(context, holdout.unit);
    if (unit === null) return false;
    const at = bucket(holdout.salt, unit);
    const held = at < holdout.basisPoints;
    trace?.hashed(flag, rule, "holdout", !held, holdout.salt, unit, at, holdout.key);
    return held;
  });
}

/** Layer 1, the traffic: slots only grow, so raising it only adds units. */
function isInSlots(flag: CompiledFlag, rule: ExperimentRule, unit: string, trace?: Trace) {
  const at = bucket(rule.layerSalt, unit);
  const inside = rule.slots.some(([start, end]) => at >= start && at < end);
  trace?.hashed(flag, rule, "traffic", inside, rule.layerSalt, unit, at);
  return inside;
}

function isInRollout(flag: CompiledFlag, rule: SplitRule, unit: string, trace?: Trace) {
  if (rule.rollout === null) return true;
  const at = bucket(rule.rollout.salt, unit);
  const inside = at < rule.rollout.basisPoints;
  trace?.hashed(flag, rule, "rollout", inside, rule.rollout.salt, unit, at);
  return inside;
}

function serveOff(flag: CompiledFlag): Evaluation {
  return flag.off === null
    ? { flag: flag.key, reason: "DISABLED" }
    : serve(flag, flag.off, "DISABLED");
}

function serve(flag: CompiledFlag, { variant, value }: Choice, reason: Reason): Evaluation {
  if (value === undefined) return failed(flag.key, "GENERAL", `there is no variant ${variant}`);
  return { flag: flag.key, value, variant, reason };
}

function failed(flag: string, errorCode: EvaluationErrorCode, errorMessage: string): Evaluation {
  return { flag, reason: "ERROR", errorCode, errorMessage };
}
