/** `…/layers`: as any definition, and which of a layer's buckets are whose. */

import { layerBody } from "../../contracts/layer.ts";
import { layerKind, layerUse } from "../../control/layer-kind.ts";
import type { Services } from "./app.ts";
import { definitionRoutes } from "./definitions.ts";

export function layerRoutes(services: Services) {
  return definitionRoutes(services, layerKind, {
    schema: layerBody,
    derived: {
      members: ["experiments", "free"],
      of: async (environment) => {
        const experiments = await services.definitions.experiments(environment);
        return (layer) => layerUse(layer, experiments);
      },
    },
  });
}
