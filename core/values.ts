/**
 * How untrusted values are read: own properties only, so that `__proto__` or `constructor` find nothing
 * that the caller did not put there.
 */
import type { Json } from "./types.ts";

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}

/** An object that is not an array. */
export function isRecord(value: unknown): value is { [key: string]: unknown } {
  return isObject(value) && !Array.isArray(value);
}

/** Whether objects and arrays are nested in more than so many levels. */
export function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1));
}

/** The own property of that name; undefined when there is none or `holder` is not an object. */
export function own(holder: unknown, key: string): unknown {
  return isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

/** Deep equality without conversion of types; the order of an object's keys does not matter, missing equals null. */
export function equals(actual: unknown, expected: Json): boolean {
  if (expected === null) return actual === null || actual === undefined;
  if (typeof expected !== "object") return actual === expected;
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, i) => equals(actual[i], item))
    );
  }
  if (!isRecord(actual)) return false;
  const keys = Object.keys(expected);
  return (
    keys.length === Object.keys(actual).length &&
    keys.every((key) => Object.hasOwn(actual, key) && equals(actual[key], expected[key] ?? null))
  );
}
