/**
 * Folds events into what a shard knows of their units, and says what changes in cells, populations and tallies.
 * Exact whatever the order, the repetition and the cut into batches; never throws on an event, and leaves its input alone.
 * Only units that changed come back: a repeated exposure or outcome writes nothing.
 */

import { DeltaCollector } from "./deltas.ts";
import type { Deltas, KeptLists, PhaseKey } from "./deltas.ts";
import type { Dictionary } from "./names.ts";
import type { CompiledPlan } from "./plan.ts";
import type { Counts, CountedEvent } from "./types.ts";
import { foldUnit } from "./unit-fold.ts";
import type { UnitEvents } from "./unit-fold.ts";

/** Events that were received together and are judged by one environment's plan. */
export interface EventBatch {
  environment: string;
  receivedAtMs: number;
  events: readonly CountedEvent[];
  counts?: Counts;
}

export type Plans = ReadonlyMap<string, CompiledPlan>;

export interface Folded extends Deltas {
  /** By unit key, in the order in which they were added, as they are stored. */
  documents: Map<string, string>;
}

/**
 * What arrived for each unit, in the order of their keys: documents lie in that order.
 * Units are made as they are asked for: all of them at once would keep the garbage collector busy.
 */
export function* groupByUnit(
  plans: Plans,
  batches: readonly EventBatch[],
  dictionary: Dictionary,
): Generator<UnitEvents> {
  const arrivals = arrivalsIn(plans, batches, dictionary);
  arrivals.sort((a, b) => (a.key < b.key ? -1 : a.key === b.key ? 0 : 1));
  let start = 0;
  for (const [i, { key, plan, names }] of arrivals.entries()) {
    if (arrivals[i + 1]?.key === key) continue;
    yield { key, plan, names, arrivals: arrivals.slice(start, i + 1) };
    start = i + 1;
  }
}

interface Arrival extends Omit<UnitEvents, "arrivals"> {
  event: CountedEvent;
  receivedAtMs: number;
}

function arrivalsIn(
  plans: Plans,
  batches: readonly EventBatch[],
  dictionary: Dictionary,
): Arrival[] {
  const arrivals: Arrival[] = [];
  for (const { environment, receivedAtMs, events } of batches) {
    const plan = plans.get(environment);
    if (!plan) continue;
    const names = dictionary.of(environment);
    let kind: string | null = null;
    let prefix = "";
    for (const event of events) {
      // Outcomes that no metric reads go to the archive alone.
      if (event.type === "outcome" && !plan.outcomes.has(event.name)) continue;
      if (event.kind !== kind) {
        kind = event.kind;
        prefix = dictionary.keyPrefix(environment, kind);
      }
      arrivals.push({ key: prefix + event.unit, plan, names, event, receivedAtMs });
    }
  }
  return arrivals;
}

/**
 * One unit after the other, in whatever portions their documents are read: only the text of what changed is kept.
 * With `keepsPast` no outcome is too old to count, as long as the unit has no more of them than a document holds: see unit-fold.ts.
 */
export class Folding {
  readonly #keepsPast: boolean;
  readonly #documents = new Map<string, string>();
  readonly #deltas = new DeltaCollector();
  #characters = 0;

  constructor({ keepsPast = false }: { keepsPast?: boolean } = {}) {
    this.#keepsPast = keepsPast;
  }

  /** Some units, with what is stored of each: undefined for one that the shard does not know. */
  add(known: Iterable<readonly [unit: UnitEvents, stored: string | undefined]>): void {
    for (const [unit, stored] of known) {
      const document = foldUnit(unit, stored, { deltas: this.#deltas, keepsPast: this.#keepsPast });
      if (document === null) continue;
      this.#documents.set(unit.key, document);
      this.#characters += document.length;
    }
  }

  /** Of the documents that changed. */
  get characters(): number {
    return this.#characters;
  }

  /** Whose kept values `result` asks for. */
  phases(): PhaseKey[] {
    return this.#deltas.phases();
  }

  result(kept: KeptLists): Folded {
    return { documents: this.#documents, ...this.#deltas.rows(kept) };
  }
}
