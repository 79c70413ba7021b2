import type { SegmentBody } from "../contracts/segment.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import { usersOfSegment } from "./references.ts";

export const segmentKind: DefinitionKind<"segment", SegmentBody> = {
  entity: "segment",
  plural: "segments",
  of: (state) => state.segments,
  write: (definition) => ({ entity: "segment", definition }),
  check: () => [],
  stored: (body) => body,
  authored: (stored) => stored,
  users: usersOfSegment,
  warnings: () => [],
};
