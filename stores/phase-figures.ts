/** What all shards have counted of a phase, as an analysis takes it. */

import type { PhaseFigures } from "../analysis/refresh.ts";
import type { ShardFigures } from "./cell-store.ts";

/** The number under which tallies keep what is in no phase. */
const outsidePhases = 0;

export function phaseFigures(shards: readonly ShardFigures[], phase: number): PhaseFigures {
  const tallies = shards.flatMap((shard) => shard.tallies);
  const tally = (ofPhase: number, ...causes: string[]) =>
    tallies
      .filter((row) => row.phase === ofPhase && causes.includes(row.cause))
      .reduce((sum, { n }) => sum + n, 0);
  const lastEvents = shards.flatMap(({ activity }) => activity?.lastEventMs ?? []);
  return {
    rows: {
      populations: shards.flatMap(({ populations }) => populations),
      cells: shards.flatMap(({ cells }) => cells),
    },
    quality: {
      quarantinedUnits: tally(phase, "quarantined"),
      botExposures: tally(phase, "bot", "hot"),
      lateEvents: tally(phase, "late"),
      outsidePhaseUnits: tally(outsidePhases, "outside-phase"),
    },
    lastEventMs: lastEvents.length === 0 ? null : Math.max(...lastEvents),
  };
}
