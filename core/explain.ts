/** The same evaluation, told step by step. There is one code path: what is explained is what is served. */
import type { CompiledSnapshot } from "./compile.ts";
import { answer } from "./evaluate.ts";
import { Trace, type TraceStep } from "./trace.ts";
import type { Context, Evaluation } from "./types.ts";

export interface Explanation {
  evaluation: Evaluation;
  /** In the order in which they were decided; a prerequisite's steps come before the step that asked for it. */
  steps: TraceStep[];
}

/** What `evaluate` answers, and why. */
export function explain(
  compiled: CompiledSnapshot,
  flagKey: string,
  context: Context,
  nowMs = Number.NaN,
): Explanation {
  const trace = new Trace();
  const evaluation = answer(flagKey, { compiled, context, nowMs, trace });
  return { evaluation, steps: trace.steps };
}
