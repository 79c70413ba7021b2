/** How OFREP tells what a flag serves. Pure. */

import type { OfrepBulk, OfrepEvaluation, OfrepMetadata } from "../../contracts/ofrep.ts";
import type { Context, Evaluation, Exposure } from "../../core/index.ts";
import { dimensionValues } from "../../counting/exposure-event.ts";
import type { ServedSnapshot } from "../../stores/snapshot-store.ts";

export function ofrepEvaluation(
  { flag: key, value, variant, reason, errorCode, errorMessage = "", exposure }: Evaluation,
  context: Context,
  { published, stale }: ServedSnapshot,
): OfrepEvaluation {
  if (errorCode !== undefined) return { key, errorCode, errorDetails: errorMessage };
  // Evaluation says neither without an error code; the types do not know.
  if (reason === "ERROR" || reason === "STALE") {
    return { key, errorCode: "GENERAL", errorDetails: errorMessage };
  }
  const metadata: OfrepMetadata = {
    ...(exposure !== undefined && exposureMetadata(exposure, context, published)),
    // OFREP has no reason STALE.
    ...(stale && { stale }),
  };
  return {
    key,
    reason,
    ...(variant !== undefined && { variant }),
    ...(value !== undefined && { value }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function exposureMetadata(
  { experiment, phase, variant, kind: unitKind, unit }: Exposure,
  context: Context,
  { dimensions }: ServedSnapshot["published"],
): OfrepMetadata {
  const metadata: OfrepMetadata = { experiment, phase, variant, unitKind, unit };
  const values = dimensionValues(context, dimensions.get(experiment) ?? []);
  for (const [name, value] of Object.entries(values)) metadata[`dimension.${name}`] = value;
  return metadata;
}

export function ofrepBulk(
  evaluations: readonly Evaluation[],
  context: Context,
  snapshot: ServedSnapshot,
): OfrepBulk {
  return {
    flags: evaluations.map((evaluation) => ofrepEvaluation(evaluation, context, snapshot)),
    metadata: { version: snapshot.published.version },
  };
}
