/**
 * Which unit an event is about, and which shard counts that unit.
 * The key is stored and the shard decides which database holds it: neither ever changes.
 */

import { hash32 } from "../core/index.ts";

/** Between the parts of a key. Intake refuses it in unit kinds, so that two units never share a key. */
const separator = "\u001f";

export interface UnitIdentity {
  kind: string;
  unit: string;
}

export function unitKey(environment: string, { kind, unit }: UnitIdentity): string {
  return environment + separator + kind + separator + unit;
}

/** 0 … shards - 1; the same unit always falls into the same one. */
export function shardOf(environment: string, unit: UnitIdentity, shards: number): number {
  return hash32(unitKey(environment, unit)) % shards;
}
