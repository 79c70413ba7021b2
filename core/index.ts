/** Pure evaluation: no I/O, no clock, no randomness. The workers, the SDK and the HTML middleware all assign through this. */
export { compile, type CompiledSnapshot } from "./compile.ts";
export { matches, type SegmentValues } from "./conditions.ts";
export { evaluate, evaluateAll } from "./evaluate.ts";
export { explain, type Explanation } from "./explain.ts";
export { bucket, BUCKETS, hash32 } from "./hash.ts";
export { prerequisiteCycle } from "./prerequisites.ts";
export type { Step, TraceStep } from "./trace.ts";
export { TARGETING_KEY, unitIdOf } from "./unit.ts";
export {
  validateCondition,
  type ConditionIssue,
  type ConditionSurroundings,
} from "./validate-condition.ts";
export type {
  Condition,
  Context,
  Evaluation,
  EvaluationErrorCode,
  Experiment,
  ExperimentRule,
  Exposure,
  Flag,
  FlagType,
  Holdout,
  Json,
  JsonObject,
  Prerequisite,
  Reason,
  Rule,
  Segment,
  ServeRule,
  Slot,
  Snapshot,
  SplitRule,
  Variant,
  WeightedVariant,
} from "./types.ts";
