/**
 * A message of the queues EVENTS_0…n: JSON text, many events of one environment and one shard.
 * It outlives deployments, so it carries its format's version; a reader refuses what it does not know.
 */

import * as z from "zod/mini";
import type { Counts, CountedEvent } from "../counting/types.ts";
import { limits } from "./limits.ts";

const source = z.enum(["server", "client", "import", "edge"]);
const attributes = z.record(z.string(), z.json());

const exposure = z.object({
  type: z.literal("exposure"),
  experiment: z.string(),
  phase: z.exactOptional(z.number()),
  variant: z.string(),
  kind: z.string(),
  unit: z.string(),
  timeMs: z.number(),
  source,
  attributes: z.exactOptional(attributes),
  bot: z.exactOptional(z.literal(true)),
});

const outcome = z.object({
  type: z.literal("outcome"),
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  unit: z.string(),
  value: z.exactOptional(
    z.number().check(z.minimum(-limits.outcomeValue), z.maximum(limits.outcomeValue)),
  ),
  timeMs: z.number(),
  source,
  properties: z.exactOptional(attributes),
});

export interface EventMessage {
  v: 1;
  environment: string;
  /** The published version that the events were judged by: the consumer needs a plan at least as new. */
  version: number;
  receivedAtMs: number;
  /** May be empty, in a message that only counts. */
  events: CountedEvent[];
  counts?: Counts;
}

export const eventMessage = z.object({
  v: z.literal(1),
  environment: z.string(),
  version: z.number(),
  receivedAtMs: z.number(),
  events: z.array(z.discriminatedUnion("type", [exposure, outcome])),
  counts: z.exactOptional(z.record(z.string(), z.number())),
}) satisfies z.ZodMiniType<EventMessage>;
