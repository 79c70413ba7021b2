/** Segments: saved lists that conditions name. */

import type { SegmentBody } from "../contracts/segment.ts";
import { equals } from "../core/values.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { isStarted } from "./experiment.ts";
import { namesSegment, usersOfSegment } from "./references.ts";

export const segmentKind: DefinitionKind<"segment", SegmentBody> = {
  entity: "segment",
  plural: "segments",
  of: (state) => state.segments,
  write: (definition) => ({ entity: "segment", definition }),
  check: () => [],
  stored: (body) => body,
  authored: (stored) => stored,
  users: usersOfSegment,
  warnings: (before, after, state) =>
    before === null || equals(before.values, after.values) ? [] : movedTargets(after.key, state),
};

/** A phase's targeting is frozen, but not who is in a segment that it names. */
function movedTargets(segment: string, { experiments }: EnvironmentState): string[] {
  return experiments
    .filter((record) => isStarted(record) && namesSegment(record.body.targeting, segment))
    .map(
      ({ key, status }) =>
        `/values: the experiment ${key} is ${status} and targets this segment, so that other units are in it from now on.`,
    );
}
