/** Layers, and who has which of their buckets. */

import type { Layer, LayerBody } from "../contracts/layer.ts";
import { checkSalt } from "./definition-kind.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { currentPhase, isStarted, isUnfinished } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";
import { usersOfLayer } from "./references.ts";
import { basisPointsOf, freeSlots, occupiedSlots } from "./slots.ts";

export const layerKind: DefinitionKind<"layer", LayerBody> = {
  entity: "layer",
  plural: "layers",
  of: (state) => state.layers,
  write: (definition) => ({ entity: "layer", definition }),
  check: (body, _state, before) => checkSalt(body.salt, before),
  stored: (body, before, freshSalt) => ({
    ...body,
    salt: before?.salt ?? body.salt ?? freshSalt,
  }),
  authored: (stored) => stored,
  users: usersOfLayer,
  warnings: () => [],
};

/** Who has which buckets of a layer, and the percentage that nobody has. */
export function layerUse({ key }: Layer, experiments: readonly ExperimentRecord[]) {
  return {
    experiments: experiments
      .filter((record) => isUnfinished(record) && record.body.layer === key)
      .map((record) => ({
        key: record.key,
        status: record.status,
        slots: isStarted(record) ? (currentPhase(record)?.slots ?? []) : [],
      })),
    free: basisPointsOf(freeSlots(occupiedSlots(key, experiments))) / 100,
  };
}
