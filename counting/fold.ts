/**
 * Folds events into what a shard knows of their units, and says what changes in cells, populations and tallies.
 * Exact whatever the order, the repetition and the cut into batches; never throws on an event, and leaves its input alone.
 * Only units that changed come back: a repeated exposure or outcome writes nothing.
 */

import { DeltaCollector } from "./deltas.ts";
import type { Deltas } from "./deltas.ts";
import type { StoredDocument } from "./document.ts";
import type { CompiledPlan } from "./plan.ts";
import type { CountedEvent } from "./types.ts";
import { addEvent, openUnit, settleUnit } from "./unit-fold.ts";
import type { UnitFold } from "./unit-fold.ts";
import { unitKey } from "./unit.ts";

/** Events that were received together and are judged by one environment's plan. */
export interface EventBatch {
  environment: string;
  receivedAtMs: number;
  events: readonly CountedEvent[];
}

export type Plans = ReadonlyMap<string, CompiledPlan>;

export interface Folded extends Deltas {
  /** By unit key, as JSON text. */
  documents: Map<string, string>;
}

/** The keys of the units whose documents `fold` needs, sorted. */
export function unitsOf(plans: Plans, batches: readonly EventBatch[]): string[] {
  const keys = new Set<string>();
  for (const { environment, events } of batches) {
    const plan = plans.get(environment);
    for (const event of events)
      if (plan && matters(plan, event)) keys.add(unitKey(environment, event));
  }
  return [...keys].sort();
}

/** Outcomes that no metric reads go to the archive alone. */
function matters(plan: CompiledPlan, event: CountedEvent): boolean {
  return event.type === "exposure" || plan.outcomes.has(event.name);
}

export function fold(
  stored: ReadonlyMap<string, StoredDocument>,
  plans: Plans,
  batches: readonly EventBatch[],
): Folded {
  const units = new Map<string, UnitFold>();
  for (const { environment, receivedAtMs, events } of batches) {
    const plan = plans.get(environment);
    if (!plan) continue;
    for (const event of events) {
      if (!matters(plan, event)) continue;
      const key = unitKey(environment, event);
      let unit = units.get(key);
      if (!unit) {
        unit = openUnit(plan, stored.get(key), event.timeMs);
        units.set(key, unit);
      }
      addEvent(unit, event, receivedAtMs);
    }
  }

  const documents = new Map<string, string>();
  const deltas = new DeltaCollector();
  for (const [key, unit] of units) {
    if (!unit.changed) continue;
    const document = settleUnit(unit, deltas);
    if (document !== null) documents.set(key, document);
  }
  return { documents, ...deltas.rows() };
}
