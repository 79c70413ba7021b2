/**
 * What publishing refuses of a change before anything is stored, because what is published could not be served:
 * prerequisites in a cycle or nested too deep, and values larger than KV holds. Conditions are judged where they are written.
 */

import { limits } from "../contracts/limits.ts";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { Refusal, Result } from "../contracts/problem.ts";
import { compile, prerequisiteCycle } from "../core/index.ts";
import type { Snapshot } from "../core/index.ts";
import { utf8Length } from "../counting/utf8.ts";
import { buildCountingPlan, buildSnapshot } from "./build-snapshot.ts";
import { afterWrites } from "./environment-state.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";

export function publishable<T>(
  state: EnvironmentState,
  decision: Decision<T>,
): Result<Decision<T>> {
  const next = afterWrites(state, decision.writes);
  const snapshot = buildSnapshot(next);
  return (
    prerequisiteRefusal(snapshot) ??
    sizeRefusal("snapshot", snapshot, () => largestOf(snapshot)) ??
    sizeRefusal("counting plan", buildCountingPlan(next), () => "archive completed experiments") ??
    ok(decision)
  );
}

function prerequisiteRefusal(snapshot: Snapshot): Refusal | null {
  const dependent = snapshot.flags.filter(({ prerequisites = [] }) => prerequisites.length > 0);
  const cycle = prerequisiteCycle(dependent);
  if (cycle !== null) {
    const detail = `The prerequisites form a cycle: ${cycle.join(" → ")}.`;
    return refuseFields([{ pointer: "/prerequisites", detail }]);
  }
  const compiled = compile(snapshot);
  for (const { key } of dependent) {
    const fault = compiled.compiledFlag(key)?.fault ?? null;
    if (fault !== null) {
      const detail = `The flag ${key} could not be evaluated: ${fault}.`;
      return refuseFields([{ pointer: "/prerequisites", detail }]);
    }
  }
  return null;
}

function sizeRefusal(what: string, value: object, advice: () => string): Refusal | null {
  const bytes = utf8Length(JSON.stringify(value));
  const most = limits.snapshotBytes;
  return bytes <= most
    ? null
    : refuse(
        "not-possible",
        `The environment's ${what} would take ${bytes} bytes and may take ${most}; ${advice()}.`,
      );
}

function largestOf({ flags, experiments, segments }: Snapshot): string {
  const parts = [
    ...flags.map((part) => ({ name: `the flag ${part.key}`, part })),
    ...experiments.map((part) => ({ name: `the experiment ${part.key}`, part })),
    ...segments.map((part) => ({ name: `the segment ${part.key}`, part })),
  ];
  let largest = { name: "nothing", bytes: 0 };
  for (const { name, part } of parts) {
    const bytes = utf8Length(JSON.stringify(part));
    if (bytes > largest.bytes) largest = { name, bytes };
  }
  return `its largest part is ${largest.name} with ${largest.bytes} bytes`;
}
