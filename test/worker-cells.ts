/** Cells as the shards would give them, of an experiment whose units came in one hour. */

import type { CellStore, ShardFigures } from "../stores/cell-store.ts";

interface Counted {
  experiment: string;
  /** In hours since the epoch. */
  cohortStart: number;
  /** By variant: its units, and how many of them did what a metric counts. */
  variants: Record<string, { n: number; sums: Record<string, number> }>;
}

export function cellsOf({ experiment, cohortStart, variants }: Counted): CellStore {
  const places = Object.entries(variants).map(([variant, counted]) => ({
    place: { variant, dimension: "", value: "", cohortStart, cohortHours: 1 },
    ...counted,
  }));
  const rest = { d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
  const shard: ShardFigures = {
    activity: null,
    populations: places.map(({ place, n }) => ({ ...place, n })),
    cells: places.flatMap(({ place, sums }) =>
      Object.entries(sums).map(([metric, y]) => ({ ...place, metric, y, yy: y, ...rest })),
    ),
    tallies: [],
    rebuiltAtMs: null,
  };
  return {
    readMany: () => Promise.resolve(new Map([[experiment, [shard]]])),
    readFigures: () => Promise.resolve([shard]),
    readActivity: () => Promise.resolve([[]]),
  };
}
