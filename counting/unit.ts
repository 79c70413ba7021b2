/** Which unit an event is about, and which shard counts that unit: which database holds it, so that this never changes. */

import { hash32 } from "../core/index.ts";

/** Between the parts of what is hashed. Intake refuses it in unit kinds, so that two units never share a key. */
const separator = "\u001f";

export interface UnitIdentity {
  kind: string;
  unit: string;
}

/** 0 … shards - 1; the same unit always falls into the same one. */
export function shardOf(environment: string, { kind, unit }: UnitIdentity, shards: number): number {
  return hash32(environment + separator + kind + separator + unit) % shards;
}
