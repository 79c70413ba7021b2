/**
 * The one decision: what a flag serves to a context. In this order: disabled, prerequisites, an override for the
 * unit, the rules, the default. Never throws, does no I/O, has no clock and remembers nothing between two calls:
 * the same snapshot and context always get the same answer. The exposure is returned, never sent.
 */
import type { Choice, CompiledFlag, CompiledRule } from "./compile-flag.ts";
import type { CompiledSnapshot } from "./compile.ts";
import { bucket } from "./hash.ts";
import type { Question } from "./question.ts";
import { isOpen, reaches } from "./reach.ts";
import type { Context, Evaluation, EvaluationErrorCode, Reason } from "./types.ts";
import { TARGETING_KEY, unitIdOf } from "./unit.ts";
import { isRecord } from "./values.ts";

type Prerequisites = NonNullable<CompiledFlag["prerequisites"]>;

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
  const flag = question.compiled.compiledFlag(flagKey);
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

  if (flag.prerequisites !== null) {
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
  if (!keyMissing || byDefault.reason === "ERROR") return byDefault;
  const errorMessage = "a rule assigns by targetingKey, and the context has none";
  return { ...byDefault, errorCode: "TARGETING_KEY_MISSING", errorMessage };
}

function isMet(
  flag: CompiledFlag,
  { flag: key, variants }: Prerequisites[number],
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
  if (!isOpen(flag, rule, question)) return "next rule";

  const unit = unitIdOf(context, rule.unit);
  trace?.note(flag, rule, "unit", unit !== null, rule.unit);
  if (unit === null) return rule.unit === TARGETING_KEY ? "no targeting key" : "next rule";
  if (!reaches(flag, rule, unit, question)) return "next rule";

  const { salt, shares } = rule;
  const at = bucket(salt, unit);
  const choice = shares.find((share) => at < share.end)?.choice;
  trace?.hashed(
    flag,
    rule,
    "variant",
    choice !== undefined,
    { salt, unit, bucket: at },
    choice?.variant,
  );
  if (choice === undefined) return "next rule";

  const evaluation = serve(flag, choice, "SPLIT");
  if (rule.kind === "experiment" && evaluation.reason === "SPLIT") {
    const { experiment, phase, unit: kind } = rule;
    evaluation.exposure = { experiment, phase, variant: choice.variant, kind, unit };
  }
  return evaluation;
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
