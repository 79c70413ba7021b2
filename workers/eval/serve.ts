/** What flags serve to a context, and whom that exposes to which variant. Pure but for its inputs. */

import { evaluate, evaluateAll } from "../../core/index.ts";
import type { Context, Evaluation, Json } from "../../core/index.ts";
import type { ExposureEvent } from "../../counting/types.ts";
import type { Asked } from "./ask.ts";

/** Long values are cut: they are copied into every exposure. */
const dimensionLength = 100;

/** Every flag without `flags`. Automated traffic is served like anybody, and exposed to nothing. */
export function serve(
  { snapshot, nowMs }: Asked,
  context: Context,
  flags: readonly string[] | undefined,
): Evaluation[] {
  const { compiled } = snapshot.published;
  const evaluations =
    flags === undefined
      ? evaluateAll(compiled, context, nowMs)
      : flags.map((flag) => evaluate(compiled, flag, context, nowMs));
  if (ownValue(context, "bot") === true) {
    for (const evaluation of evaluations) delete evaluation.exposure;
  }
  return evaluations;
}

export function exposuresOf(
  evaluations: readonly Evaluation[],
  context: Context,
  { kind, snapshot, nowMs }: Asked,
): ExposureEvent[] {
  return evaluations.flatMap(({ exposure }) =>
    exposure === undefined
      ? []
      : {
          type: "exposure",
          ...exposure,
          timeMs: nowMs,
          source: kind === "client" ? "client" : "server",
          attributes: pick(context, snapshot.published.dimensions.get(exposure.experiment) ?? []),
        },
  );
}

function pick(context: Context, names: readonly string[]): Record<string, Json> {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = ownValue(context, name);
    if (typeof value === "string") picked[name] = value.slice(0, dimensionLength).toWellFormed();
    else if (typeof value === "boolean") picked[name] = value;
    else if (typeof value === "number" && Number.isFinite(value)) picked[name] = value;
  }
  return picked;
}

function ownValue(context: Context, name: string): unknown {
  return Object.hasOwn(context, name) ? context[name] : undefined;
}
