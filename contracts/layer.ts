/** A layer: its body, as people write it (`POST /api/v1/layers`), and its form in CONTROL. */

import * as z from "zod/mini";
import { key, name, salt } from "./fields.ts";

const fields = { key, name: z.exactOptional(name) };

export const layerBody = z.strictObject({ ...fields, salt: z.exactOptional(salt) });

export const layer = z.object({ ...fields, salt });

export type LayerBody = z.output<typeof layerBody>;
export type Layer = z.output<typeof layer>;
