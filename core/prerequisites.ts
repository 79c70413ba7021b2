/** The order in which flags depend on each other. Never recurses: a chain may be as long as the list of flags. */
import type { Flag } from "./types.ts";

type Dependent = Pick<Flag, "key" | "prerequisites">;

function prerequisiteKeys(flag: Dependent | undefined): string[] {
  return flag?.prerequisites?.map((prerequisite) => prerequisite.flag) ?? [];
}

/** By key, the flags that have prerequisites; all others end a chain. */
function dependentFlags(flags: readonly Dependent[]): Map<string, Dependent> {
  const dependent = flags.filter((flag) => (flag.prerequisites?.length ?? 0) > 0);
  return new Map(dependent.map((flag) => [flag.key, flag]));
}

/**
 * How deep each dependent flag's prerequisites go: one more than the deepest of them, 1 when none of them has any.
 * Flags that are in a cycle, or depend on one, are absent. Prerequisites that do not exist do not count.
 */
export function prerequisiteDepths(flags: readonly Dependent[]): Map<string, number> {
  const dependent = dependentFlags(flags);
  const depths = new Map<string, number>();
  const waitingFor = new Map<string, number>();
  const waiting = new Map<string, string[]>();
  for (const flag of dependent.values()) {
    const needed = prerequisiteKeys(flag).filter((key) => dependent.has(key));
    waitingFor.set(flag.key, needed.length);
    if (needed.length === 0) depths.set(flag.key, 1);
    for (const key of needed) {
      const others = waiting.get(key);
      if (others === undefined) waiting.set(key, [flag.key]);
      else others.push(flag.key);
    }
  }
  // Kahn's algorithm; its queue is the map itself, which iterates over what is added meanwhile.
  for (const [key, depth] of depths) {
    for (const next of waiting.get(key) ?? []) {
      const left = (waitingFor.get(next) ?? 0) - 1;
      waitingFor.set(next, left);
      if (left === 0) depths.set(next, depth + 1);
    }
  }
  return depths;
}

/** One cycle among the flags' prerequisites, from a flag back to itself (`["a", "b", "a"]`); null when there is none. */
export function prerequisiteCycle(flags: readonly Dependent[]): string[] | null {
  const depths = prerequisiteDepths(flags);
  const knotted = dependentFlags(flags);
  for (const key of depths.keys()) knotted.delete(key);
  // Every flag left waits for another one that is left: going from one to the next must come back.
  const path = new Set<string>();
  let [key] = knotted.keys();
  while (key !== undefined && !path.has(key)) {
    path.add(key);
    key = prerequisiteKeys(knotted.get(key)).find((next) => knotted.has(next));
  }
  if (key === undefined) return null;
  const walked = [...path];
  return [...walked.slice(walked.indexOf(key)), key];
}
