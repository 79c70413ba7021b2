/** Collects why an evaluation came out as it did. Evaluation tells it what was decided; it decides nothing. */
import type { CompiledFlag, CompiledRule } from "./compile-flag.ts";

/** What is asked at a step, in the order of decisions. */
export type Step =
  | "enabled"
  | "prerequisite"
  | "override"
  | "when"
  | "running"
  | "targeting"
  | "unit"
  | "holdout"
  | "traffic"
  | "rollout"
  | "variant"
  | "default";

export interface TraceStep {
  /** The flag under evaluation: the one asked about, or a prerequisite of it. */
  flag: string;
  /** Position of the rule, from 0; absent before and after the rules. */
  rule?: number;
  step: Step;
  /** Whether the evaluation went on to the next step of this rule (before the rules: of this flag). */
  passed: boolean;
  /** In words, why it passed or not. */
  because: string;
  /** What was hashed, `salt:unit`, and the bucket, 0…9999, that it gave. */
  hash?: { input: string; bucket: number };
}

interface Hashed {
  salt: string;
  unit: string;
  bucket: number;
}

export class Trace {
  readonly steps: TraceStep[] = [];

  /** `about` is what the step looked at: a prerequisite, an experiment, an attribute. */
  note(
    flag: CompiledFlag,
    rule: CompiledRule | null,
    step: Step,
    passed: boolean,
    about = "",
  ): void {
    const because = wording(step, passed, about);
    const place = rule === null ? {} : { rule: rule.index };
    this.steps.push({ flag: flag.key, ...place, step, passed, because });
  }

  hashed(
    flag: CompiledFlag,
    rule: CompiledRule,
    step: Step,
    passed: boolean,
    { salt, unit, bucket }: Hashed,
    about = "",
  ): void {
    this.steps.push({
      flag: flag.key,
      rule: rule.index,
      step,
      passed,
      because: `bucket ${bucket} ${bucketWording(rule, step, passed, about)}`,
      hash: { input: `${salt}:${unit}`, bucket },
    });
  }
}

function wording(step: Step, passed: boolean, about: string): string {
  const not = passed ? "" : " not";
  switch (step) {
    case "enabled":
      return `the flag is${not} enabled`;
    case "prerequisite":
      return `the prerequisite ${about} is${not} met`;
    case "override":
      return `the unit is${not} overridden`;
    case "when":
    case "targeting":
      return passed ? "there is no condition, or it matches" : "the condition does not match";
    case "running":
      return `the experiment ${about} is${not} running at this time`;
    case "unit":
      return passed
        ? `the unit is the context's ${about}`
        : `the context has no ${about} that could be a unit`;
    case "default":
      return "no rule served";
    case "holdout":
    case "traffic":
    case "rollout":
    case "variant":
    default:
      return about;
  }
}

function bucketWording(rule: CompiledRule, step: Step, passed: boolean, about: string): string {
  if (step === "holdout") return `is${passed ? " not" : ""} in the holdout ${about}`;
  if (step === "rollout" && rule.kind === "split") {
    return `is${passed ? "" : " not"} below the rollout of ${rule.rollout?.basisPoints ?? 0}`;
  }
  if (step === "traffic" && rule.kind === "experiment") {
    const slots = rule.slots.map(({ start, end }) => `[${start}, ${end})`).join(" ");
    return `is${passed ? "" : " not"} in the experiment's slots ${slots}`;
  }
  return passed ? `is in the share of ${about}` : "is beyond the last share";
}
