import type { CompiledSnapshot } from "./compile.ts";
import type { Trace } from "./trace.ts";
import type { Context, Evaluation } from "./types.ts";

/** What is asked of a snapshot, and what is learnt while answering. */
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
