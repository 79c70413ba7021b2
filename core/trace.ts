/** Collects why an evaluation came out as it did. Evaluation tells it what it decided; it decides nothing. */
import type { CompiledFlag, CompiledRule } from "./compile.ts";

/** What was asked at a step, in the order of decisions. */
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
  passed: boolean;
  /** What the step is about: the prerequisite, the experiment, the unit's attribute, the holdout. */
  about?: string;
  /** What was hashed (`salt:unit`) and the bucket, 0…9999, that it gave. */
  hash?: { input: string; bucket: number };
}

export class Trace {
  readonly steps: TraceStep[] = [];

  note(flag: CompiledFlag, rule: CompiledRule | null, step: Step, passed: boolean, about?: string) {
    this.steps.push({
      flag: flag.key,
      ...(rule === null ? {} : { rule: rule.index }),
      step,
      passed,
      ...(about === undefined ? {} : { about }),
    });
  }

  hashed(
    flag: CompiledFlag,
    rule: CompiledRule,
    step: Step,
    passed: boolean,
    salt: string,
    unit: string,
    bucket: number,
    about?: string,
  ) {
    const hash = { input: `${salt}:${unit}`, bucket };
    this.steps.push({
      flag: flag.key,
      rule: rule.index,
      step,
      passed,
      ...(about === undefined ? {} : { about }),
      hash,
    });
  }
}
