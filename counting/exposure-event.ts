/** From an exposure, as evaluation returns it, to the event that is counted. */

import type { Context, Exposure } from "../core/index.ts";
import { cut } from "./dimensions.ts";
import type { ExposureEvent, Source } from "./types.ts";

interface Met {
  context: Context;
  /** The attributes that the experiment's exposures carry along. */
  dimensions: readonly string[];
  timeMs: number;
  source: Source;
  sdk: string;
}

export function exposureEvent(
  exposure: Exposure,
  { context, dimensions, timeMs, source, sdk }: Met,
): ExposureEvent {
  return {
    type: "exposure",
    ...exposure,
    timeMs,
    source,
    sdk,
    attributes: dimensionValues(context, dimensions),
  };
}

type DimensionValue = string | number | boolean;

/** Cut as they are counted, since they are copied into every exposure. */
export function dimensionValues(
  context: Context,
  names: readonly string[],
): Record<string, DimensionValue> {
  const picked: Record<string, DimensionValue> = {};
  for (const name of names) {
    const value = Object.hasOwn(context, name) ? context[name] : undefined;
    if (typeof value === "string") picked[name] = cut(value).toWellFormed();
    else if (typeof value === "boolean") picked[name] = value;
    else if (typeof value === "number" && Number.isFinite(value)) picked[name] = value;
  }
  return picked;
}
