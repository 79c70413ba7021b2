/** KV `snapshot/{environmentId}` and the body of `GET /api/v1/config`. */

import * as z from "zod/mini";
import type { Snapshot } from "../core/types.ts";

export const condition = z.record(z.string(), z.json());
export const weightedVariant = z.object({ variant: z.string(), weightBasisPoints: z.number() });

export const slot = z.tuple([z.number(), z.number()]);

const rule = z.union([
  z.object({ when: z.exactOptional(condition), serve: z.string() }),
  z.object({
    when: z.exactOptional(condition),
    unit: z.string(),
    rolloutBasisPoints: z.exactOptional(z.number()),
    split: z.array(weightedVariant),
  }),
  z.object({ when: z.exactOptional(condition), experiment: z.string() }),
]);

export const flag = z.object({
  key: z.string(),
  type: z.enum(["boolean", "string", "number", "object"]),
  variants: z.array(z.object({ key: z.string(), value: z.json() })),
  defaultVariant: z.string(),
  offVariant: z.exactOptional(z.string()),
  enabled: z.boolean(),
  salt: z.string(),
  overrides: z.exactOptional(z.record(z.string(), z.array(z.string()))),
  prerequisites: z.exactOptional(
    z.array(z.object({ flag: z.string(), variants: z.array(z.string()) })),
  ),
  rules: z.array(rule),
});

const experiment = z.object({
  key: z.string(),
  hashVersion: z.literal(1),
  phase: z.number(),
  salt: z.string(),
  unit: z.string(),
  control: z.string(),
  variants: z.array(weightedVariant),
  targeting: z.exactOptional(condition),
  layer: z.nullable(z.string()),
  layerSalt: z.string(),
  slots: z.array(slot),
  dimensions: z.exactOptional(z.array(z.string())),
  startAt: z.exactOptional(z.number()),
  endAt: z.exactOptional(z.number()),
});

export const snapshot = z.object({
  formatVersion: z.literal(1),
  environment: z.string(),
  version: z.number(),
  flags: z.array(flag),
  experiments: z.array(experiment),
  holdouts: z.array(
    z.object({
      key: z.string(),
      salt: z.string(),
      unit: z.string(),
      basisPoints: z.number(),
      layer: z.nullable(z.string()),
    }),
  ),
  segments: z.array(z.object({ key: z.string(), values: z.array(z.json()) })),
}) satisfies z.ZodMiniType<Snapshot>;
