/** One consistent reading of an environment's definitions, what a change writes, and what the environment is after it. */

import type { Holdout } from "../contracts/holdout.ts";
import type { Layer } from "../contracts/layer.ts";
import type { MetricBody } from "../contracts/metric.ts";
import type { Notice } from "../contracts/notice.ts";
import type { SegmentBody } from "../contracts/segment.ts";
import type { Flag } from "../core/index.ts";
import type { ExperimentRecord } from "./experiment.ts";

/** In the form that CONTROL keeps. */
export interface DefinitionBodies {
  flag: Flag;
  metric: MetricBody;
  layer: Layer;
  holdout: Holdout;
  segment: SegmentBody;
}

export type Entity = keyof DefinitionBodies;

export interface Definition<T> {
  id: string;
  /** Of this definition, for If-Match. */
  version: number;
  body: T;
  createdAt: string;
  updatedAt: string;
  /** Null while it is in force. An archived one serves nobody and keeps its key from being used again. */
  archivedAt: string | null;
}

export type DefinitionOf<E extends Entity> = Definition<DefinitionBodies[E]>;

export interface EnvironmentState {
  id: string;
  version: number;
  /** All definitions include the archived ones: `inForce` leaves them out. */
  flags: readonly DefinitionOf<"flag">[];
  metrics: readonly DefinitionOf<"metric">[];
  layers: readonly DefinitionOf<"layer">[];
  holdouts: readonly DefinitionOf<"holdout">[];
  segments: readonly DefinitionOf<"segment">[];
  experiments: readonly ExperimentRecord[];
}

export type DefinitionWrite = {
  [E in Entity]: { entity: E; definition: DefinitionOf<E> };
}[Entity];

export type Write = DefinitionWrite | { entity: "experiment"; record: ExperimentRecord };

/** What a change does, and how the audit log tells it. The first write is the entity that it is about. */
export interface Decision<T> {
  action: string;
  reason?: string;
  writes: readonly [Write, ...Write[]];
  /** What somebody should be told of it, in the same transaction. */
  notices?: readonly Notice[];
  value: T;
}

export function inForce<T extends { key: string }>(
  definitions: readonly Definition<T>[],
): Definition<T>[] {
  return definitions.filter(({ archivedAt }) => archivedAt === null);
}

/** The body in force under a key. */
export function bodyOf<T extends { key: string }>(
  definitions: readonly Definition<T>[],
  key: string,
): T | null {
  return inForce(definitions).find(({ body }) => body.key === key)?.body ?? null;
}

export function afterWrites(state: EnvironmentState, writes: readonly Write[]): EnvironmentState {
  return writes.reduce(written, { ...state, version: state.version + 1 });
}

function written(state: EnvironmentState, write: Write): EnvironmentState {
  switch (write.entity) {
    case "flag":
      return { ...state, flags: replaced(state.flags, write.definition) };
    case "metric":
      return { ...state, metrics: replaced(state.metrics, write.definition) };
    case "layer":
      return { ...state, layers: replaced(state.layers, write.definition) };
    case "holdout":
      return { ...state, holdouts: replaced(state.holdouts, write.definition) };
    case "segment":
      return { ...state, segments: replaced(state.segments, write.definition) };
    case "experiment": {
      const { record } = write;
      const others = state.experiments.filter(({ key }) => key !== record.key);
      return { ...state, experiments: [...others, record] };
    }
  }
}

function replaced<T extends { key: string }>(
  definitions: readonly Definition<T>[],
  definition: Definition<T>,
): Definition<T>[] {
  const { key } = definition.body;
  return [...definitions.filter(({ body }) => body.key !== key), definition];
}
