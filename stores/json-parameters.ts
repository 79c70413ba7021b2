/** Cuts what a statement takes into JSON parameters that D1 accepts: one parameter a statement, many rows each. */

import { limits } from "../contracts/limits.ts";

export interface Brackets {
  open: "[" | "{";
  close: "]" | "}";
}

/** A UTF-16 unit takes at most three bytes, so that nothing need be counted. */
const mostCharacters = Math.floor(limits.d1ParameterBytes / 3);

/**
 * `parts` (JSON texts, or `key:value` texts) joined in order, at most `maxParts` of them in a parameter.
 * A part that alone is too large makes a parameter of its own: D1 will say so.
 */
export function jsonParameters(
  parts: Iterable<string>,
  { open, close }: Brackets,
  maxParts = Infinity,
): string[] {
  const parameters: string[] = [];
  let texts: string[] = [];
  let characters = 2;
  const finish = () => {
    if (texts.length > 0) parameters.push(open + texts.join(",") + close);
    texts = [];
    characters = 2;
  };
  for (const part of parts) {
    const size = part.length + 1;
    if (characters + size > mostCharacters || texts.length === maxParts) finish();
    texts.push(part);
    characters += size;
  }
  finish();
  return parameters;
}
