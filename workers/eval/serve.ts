/** What flags serve to a context, and whom that exposes to which variant. Pure but for its inputs. */

import { evaluate, evaluateAll } from "../../core/index.ts";
import type { Context, Evaluation } from "../../core/index.ts";
import { exposureEvent } from "../../counting/exposure-event.ts";
import type { ExposureEvent } from "../../counting/types.ts";
import type { Asked } from "./ask.ts";

/** Every flag without `flags`. Automated traffic is served like anybody, and exposed to nothing. */
export function serve(
  { snapshot, nowMs }: Asked,
  context: Context,
  flags: readonly string[] | undefined,
): Evaluation[] {
  const { compiled } = snapshot.published;
  // A name that is said twice is one flag, and costs what one costs.
  const evaluations =
    flags === undefined
      ? evaluateAll(compiled, context, nowMs)
      : Array.from(new Set(flags), (flag) => evaluate(compiled, flag, context, nowMs));
  if (isAutomated(context)) for (const evaluation of evaluations) delete evaluation.exposure;
  return evaluations;
}

export function isAutomated(context: Context): boolean {
  return Object.hasOwn(context, "bot") && context["bot"] === true;
}

/** `sdk`: by what it was asked; a header is read only for somebody who is exposed. */
export function exposuresOf(
  evaluations: readonly Evaluation[],
  context: Context,
  { kind, snapshot, nowMs }: Asked,
  sdk: () => string,
): ExposureEvent[] {
  const exposures = evaluations.flatMap(({ exposure }) => exposure ?? []);
  if (exposures.length === 0) return [];
  const source = kind === "client" ? "client" : "server";
  const met = { context, timeMs: nowMs, source, sdk: sdk() } as const;
  return exposures.map((exposure) =>
    exposureEvent(exposure, {
      ...met,
      dimensions: snapshot.published.dimensions.get(exposure.experiment) ?? [],
    }),
  );
}
