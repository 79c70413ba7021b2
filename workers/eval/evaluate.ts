/** `POST /api/v1/evaluate`: what each flag serves to a context, and the exposures that this makes. Pure but for its inputs. */

import type { EvaluateBody } from "../../contracts/evaluate.ts";
import { evaluate, evaluateAll } from "../../core/index.ts";
import type { Context, Evaluation, Json } from "../../core/index.ts";
import type { ExposureEvent } from "../../counting/types.ts";
import type { ServedSnapshot } from "../../stores/snapshot-store.ts";

export interface Answer {
  body: { version: number; flags: Record<string, FlagAnswer> };
  exposures: ExposureEvent[];
}

/** `experiment` and `phase` only where an experiment assigned: what a client needs to report the exposure itself. */
type FlagAnswer = Omit<Evaluation, "flag" | "exposure"> & {
  experiment?: string;
  phase?: number;
};

export function answer(
  { compiled, version, stale, dimensions }: ServedSnapshot,
  { context, flags, exposures }: EvaluateBody,
  { nowMs, source }: { nowMs: number; source: ExposureEvent["source"] },
): Answer {
  const evaluations =
    flags === undefined
      ? evaluateAll(compiled, context, nowMs)
      : flags.map((flag) => evaluate(compiled, flag, context, nowMs));
  const sent = flags !== undefined && exposures;
  return {
    body: {
      version,
      flags: Object.fromEntries(
        evaluations.map((evaluation) => [evaluation.flag, flagAnswer(evaluation, stale)]),
      ),
    },
    exposures: sent
      ? evaluations.flatMap(({ exposure }) =>
          exposure === undefined
            ? []
            : [
                {
                  type: "exposure",
                  ...exposure,
                  timeMs: nowMs,
                  source,
                  attributes: pick(context, dimensions.get(exposure.experiment) ?? []),
                },
              ],
        )
      : [],
  };
}

function flagAnswer({ flag: _flag, exposure, ...rest }: Evaluation, stale: boolean): FlagAnswer {
  const reason = stale && rest.reason !== "ERROR" ? "STALE" : rest.reason;
  return exposure === undefined
    ? { ...rest, reason }
    : { ...rest, reason, experiment: exposure.experiment, phase: exposure.phase };
}

/** Scalars only, and short: they are copied into every exposure. */
function pick(context: Context, names: readonly string[]): Record<string, Json> {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = Object.hasOwn(context, name) ? context[name] : undefined;
    if (typeof value === "string") picked[name] = value.slice(0, 100);
    else if (typeof value === "boolean") picked[name] = value;
    else if (typeof value === "number" && Number.isFinite(value)) picked[name] = value;
  }
  return picked;
}
