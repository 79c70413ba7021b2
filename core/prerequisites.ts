/** The order in which flags depend on each other. Never recurses: a chain may be as long as the list of flags. */
import type { Flag } from "./types.ts";

type Dependent = Pick<Flag, "key" | "prerequisites">;

function prerequisiteKeys(flag: Dependent | undefined): string[] {
  return flag?.prerequisites?.map((prerequisite) => prerequisite.flag) ?? [];
}

/**
 * How deep each flag's prerequisites go: 0 without any, else one more than the deepest. Flags that are in a cycle,
 * or depend on one, have no depth and are absent. Prerequisites that do not exist do not count.
 */
export function prerequisiteDepths(flags: readonly Dependent[]): Map<string, number> {
  const depths = new Map<string, number>();
  const byKey = new Map(flags.map((flag) => [flag.key, flag]));
  const open = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const flag of byKey.values()) {
    const known = prerequisiteKeys(flag).filter((key) => byKey.has(key));
    open.set(flag.key, known.length);
    for (const key of known) {
      const others = dependents.get(key);
      if (others === undefined) dependents.set(key, [flag.key]);
      else others.push(flag.key);
    }
    if (known.length === 0) depths.set(flag.key, 0);
  }
  // A Map iterates over what is added meanwhile: this is the queue of Kahn's algorithm.
  for (const [key, depth] of depths) {
    for (const dependent of dependents.get(key) ?? []) {
      const left = (open.get(dependent) ?? 0) - 1;
      open.set(dependent, left);
      if (left === 0) depths.set(dependent, depth + 1);
    }
  }
  return depths;
}

/** One cycle among the flags' prerequisites, from a flag back to itself (`["a", "b", "a"]`); null when there is none. */
export function prerequisiteCycle(flags: readonly Dependent[]): string[] | null {
  const depths = prerequisiteDepths(flags);
  const knotted = new Map(
    flags.filter((flag) => !depths.has(flag.key)).map((flag) => [flag.key, flag]),
  );
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
