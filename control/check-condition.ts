/** Conditions are judged where they are written, so that whatever is published has passed. */

import type { FieldError } from "../contracts/problem.ts";
import { validateCondition } from "../core/index.ts";
import type { Condition } from "../core/index.ts";
import { inForce } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";

/** What publishing refuses of a condition at `pointer`: unknown operators and segments, regular expressions that could run forever. */
export function conditionErrors(
  condition: Condition,
  pointer: string,
  { segments }: Pick<EnvironmentState, "segments">,
): FieldError[] {
  const known = new Set(inForce(segments).map(({ body }) => body.key));
  return validateCondition(condition, { segments: known }).map(({ path, message }) => ({
    pointer: `${pointer}${path}`,
    detail: message,
  }));
}
