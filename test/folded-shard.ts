/** A shard in memory: folds consumer batches one after another and adds up what they change, as the database does. */

import { dimensionKey } from "../counting/deltas.ts";
import { Folding, groupByUnit } from "../counting/fold.ts";
import type { EventBatch } from "../counting/fold.ts";
import type { DimensionOfPhase } from "../counting/kept-values.ts";
import { Dictionary } from "../counting/names.ts";
import { compilePlan } from "../counting/plan.ts";
import type { CountingPlan } from "../counting/types.ts";

/** Row names (JSON arrays of what identifies a row) to numbers; zeros are left out. */
export interface Counted {
  /** [environment, experiment, phase, variant, dimension, value, cohort] → n */
  populations: Map<string, number>;
  /** [environment, experiment, phase, metric, variant, dimension, value, cohort] → y, yy, d, dd, yd, x, xx, xy */
  cells: Map<string, number[]>;
  /** [environment, experiment, phase, cause, detail] → n */
  tallies: Map<string, number>;
}

export function foldedShard(options: { keepsPast?: boolean } = {}) {
  const counted: Counted = { populations: new Map(), cells: new Map(), tallies: new Map() };
  const stored = new Map<string, string>();
  const names = new Map<string, string[]>();
  const kept = new Map<string, readonly string[]>();

  /** The keys of the units that were written. */
  function receive(plans: readonly CountingPlan[], batch: readonly EventBatch[]): string[] {
    const compiled = new Map(plans.map((plan) => [plan.environment, compilePlan(plan)]));
    const dictionary = new Dictionary(names);
    const units = groupByUnit(compiled, batch, dictionary);
    const folding = new Folding(options);
    folding.add([...units].map((unit) => [unit, stored.get(unit.key)] as const));
    const folded = folding.result(kept);
    for (const change of folded.kept) {
      kept.set(dimensionKey(change), change.values);
      for (const value of change.gone) join(counted, change, value);
    }
    for (const [key, text] of folded.documents) stored.set(key, text);
    for (const { environment, id, name } of dictionary.added()) {
      const known = names.get(environment) ?? [];
      known[id] = name;
      names.set(environment, known);
    }

    for (const row of folded.populations) {
      const { environment, experiment, phase, variant, dimension, value, cohortStart, n } = row;
      const key = [environment, experiment, phase, variant, dimension, value, cohortStart];
      add(counted.populations, key, n);
    }
    for (const { environment, experiment, phase, cause, detail, n } of folded.tallies) {
      add(counted.tallies, [environment, experiment, phase, cause, detail], n);
    }
    for (const row of folded.cells) {
      const { environment, experiment, phase, metric, variant, dimension, value } = row;
      const key = JSON.stringify([
        environment,
        experiment,
        phase,
        metric,
        variant,
        dimension,
        value,
        row.cohortStart,
      ]);
      const change = [row.y, row.yy, row.d, row.dd, row.yd, row.x, row.xx, row.xy];
      const known = counted.cells.get(key) ?? change.map(() => 0);
      const sums = known.map((sum, i) => sum + (change[i] ?? 0));
      if (sums.some((sum) => sum !== 0)) counted.cells.set(key, sums);
      else counted.cells.delete(key);
    }
    return [...folded.documents.keys(), ...folded.kept.map(dimensionKey)];
  }

  return { counted, stored, receive, dictionary: () => new Dictionary(names) };
}

/** What a value counted is counted as "other" from now on. */
function join({ populations, cells }: Counted, at: DimensionOfPhase, value: string): void {
  const renamed = (key: string): string | null => {
    const parts: unknown = JSON.parse(key);
    if (!Array.isArray(parts)) return null;
    const [environment, experiment, phase] = parts;
    const isOfPhase =
      environment === at.environment && experiment === at.experiment && phase === at.phase;
    const place = parts.length - 3;
    if (!isOfPhase || parts[place] !== at.dimension || parts[place + 1] !== value) return null;
    return JSON.stringify(parts.with(place + 1, "other"));
  };
  for (const [key, n] of populations) {
    const to = renamed(key);
    if (to === null) continue;
    populations.delete(key);
    populations.set(to, (populations.get(to) ?? 0) + n);
  }
  for (const [key, sums] of cells) {
    const to = renamed(key);
    if (to === null) continue;
    cells.delete(key);
    const known = cells.get(to);
    cells.set(
      to,
      sums.map((sum, i) => sum + (known?.[i] ?? 0)),
    );
  }
}

function add(rows: Map<string, number>, key: unknown[], n: number): void {
  const text = JSON.stringify(key);
  const sum = (rows.get(text) ?? 0) + n;
  if (sum === 0) rows.delete(text);
  else rows.set(text, sum);
}
