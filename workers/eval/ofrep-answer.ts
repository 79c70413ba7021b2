/** How OFREP tells what a flag serves. Pure. */

import type { OfrepBulk, OfrepEvaluation, OfrepMetadata } from "../../contracts/ofrep.ts";
import type { Evaluation } from "../../core/index.ts";
import type { ServedSnapshot } from "../../stores/snapshot-store.ts";

export function ofrepEvaluation(
  { flag: key, value, variant, reason, errorCode, errorMessage = "", exposure }: Evaluation,
  { stale }: ServedSnapshot,
): OfrepEvaluation {
  if (errorCode !== undefined) return { key, errorCode, errorDetails: errorMessage };
  if (reason === "ERROR" || reason === "STALE") {
    return { key, errorCode: "GENERAL", errorDetails: errorMessage };
  }
  const metadata: OfrepMetadata = {
    ...(exposure !== undefined && {
      experiment: exposure.experiment,
      phase: exposure.phase,
      variant: exposure.variant,
      unitKind: exposure.kind,
      unit: exposure.unit,
    }),
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

export function ofrepBulk(evaluations: readonly Evaluation[], snapshot: ServedSnapshot): OfrepBulk {
  return {
    flags: evaluations.map((evaluation) => ofrepEvaluation(evaluation, snapshot)),
    metadata: { version: snapshot.published.version },
  };
}
