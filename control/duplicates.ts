/** Finds what is given twice and may be given once. */

import type { FieldError } from "../contracts/problem.ts";

/** Complains about every key that was there before. */
export function duplicates(
  keys: readonly string[],
  pointer: (index: number) => string,
  rule: string,
): FieldError[] {
  const seen = new Set<string>();
  return keys.flatMap((key, index) => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [{ pointer: pointer(index), detail: `${rule}; ${key} is repeated.` }];
  });
}
