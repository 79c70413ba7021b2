/** Which experiments' cells are read together: few reads, and never more cells than an isolate has memory for. An estimate, made before anything is read. */

import type { Phase } from "../../contracts/phase.ts";

const hourMs = 3_600_000;
/** Of a shard, read together: so many take some 4 MB, and one experiment's are unpacked at a time. */
const cellsAtOnce = 50_000;
/** Afterwards they are days. */
const mostHours = 250;
/** A shard keeps up to 250 values of a dimension; most dimensions have far fewer. */
const valuesOfADimension = 80;

/** In order; one that is too large by itself is read alone. */
export function* readChunks<Started extends { phase: Phase }>(
  started: readonly Started[],
  asOfMs: number,
): Generator<Started[]> {
  let chunk: Started[] = [];
  let size = 0;
  for (const one of started) {
    const cells = cellsOf(one.phase, asOfMs);
    if (chunk.length > 0 && size + cells > cellsAtOnce) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(one);
    size += cells;
  }
  if (chunk.length > 0) yield chunk;
}

/** Values of dimensions are summed over their cohorts. */
function cellsOf({ metrics, variants, dimensions, running }: Phase, asOfMs: number): number {
  const hours = Math.ceil((asOfMs - (running[0]?.[0] ?? asOfMs)) / hourMs);
  const cohorts = Math.min(Math.max(1, hours), mostHours);
  return metrics.length * variants.length * (cohorts + dimensions.length * valuesOfADimension);
}
