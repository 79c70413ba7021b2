/** Cuts what a statement takes into JSON parameters that D1 accepts: one parameter a statement, many rows each. */

import { limits } from "../contracts/limits.ts";
import { utf8Length } from "../counting/utf8.ts";

export interface Brackets {
  open: "[" | "{";
  close: "]" | "}";
}

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
  let bytes = 2;
  const finish = () => {
    if (texts.length > 0) parameters.push(open + texts.join(",") + close);
    texts = [];
    bytes = 2;
  };
  for (const part of parts) {
    const size = utf8Length(part) + 1;
    if (bytes + size > limits.d1ParameterBytes || texts.length === maxParts) finish();
    texts.push(part);
    bytes += size;
  }
  finish();
  return parameters;
}
