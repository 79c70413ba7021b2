/**
 * The operators of the condition language that look at one value: each compiles its operand, once, to a test.
 * A test never throws; an operand of the wrong type makes a test that nothing passes.
 * Missing counts as null.
 */
import { epochMs } from "./dates.ts";
import type { Json } from "./types.ts";
import { equals } from "./values.ts";
import { compareVersions, versionOf } from "./versions.ts";

export type Test = (actual: unknown) => boolean;

/** Values by segment key. */
export type SegmentSets = ReadonlyMap<string, ReadonlySet<unknown>>;

type Compile = (operand: Json, segments: SegmentSets) => Test;

export const never: Test = () => false;

/** Longer strings match no regular expression: it bounds what a slow one can cost. */
export const LONGEST_SUBJECT = 4096;

const SHORT_LIST = 8;

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "function" || type === "symbol" || type === "bigint" ? "unknown" : type;
}

function lowerCase(value: unknown): unknown {
  return typeof value === "string" ? value.toLowerCase() : value;
}

/** What a value counts as when it meets a number: missing is 0, NaN when it cannot be one. */
function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return value.trim() === "" ? Number.NaN : Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return value === null || value === undefined ? 0 : Number.NaN;
}

/** Two strings compare by code units, anything else as numbers; what cannot be compared passes nothing. */
function comparison(holds: (sign: number) => boolean): Compile {
  return (operand) => {
    const expected = numberOf(operand);
    return (actual) => {
      if (typeof operand === "string" && typeof actual === "string") {
        return holds(actual < operand ? -1 : actual > operand ? 1 : 0);
      }
      const value = numberOf(actual);
      if (value < expected) return holds(-1);
      if (value > expected) return holds(1);
      return value === expected && holds(0);
    };
  };
}

function versionComparison(holds: (sign: number) => boolean): Compile {
  return (operand) => {
    if (typeof operand !== "string" && typeof operand !== "number") return never;
    const expected = versionOf(operand);
    return (actual) => holds(compareVersions(versionOf(actual), expected));
  };
}

function dateComparison(holds: (sign: number) => boolean): Compile {
  return (operand) => {
    const expected = epochMs(operand);
    return (actual) => {
      const difference = epochMs(actual) - expected;
      return !Number.isNaN(difference) && holds(difference);
    };
  };
}

/** Whether the value, or one of an array's items, is in the set. */
function isIn(actual: unknown, set: ReadonlySet<unknown>): boolean {
  return Array.isArray(actual) ? actual.some((item) => set.has(item)) : set.has(actual ?? null);
}

/** The same of a short list, which is searched faster than a set, and needs none. */
function isListed(actual: unknown, list: readonly unknown[]): boolean {
  return Array.isArray(actual)
    ? actual.some((item) => list.includes(item))
    : list.includes(actual ?? null);
}

function isInFolded(actual: unknown, set: ReadonlySet<unknown>): boolean {
  return isIn(Array.isArray(actual) ? actual.map(lowerCase) : lowerCase(actual), set);
}

function listed(list: readonly unknown[], expected: boolean): Test {
  return (actual) => isListed(actual, list) === expected;
}

function contained(list: readonly unknown[], expected: boolean): Test {
  const set = new Set(list);
  return (actual) => isIn(actual, set) === expected;
}

function membership(expected: boolean): Compile {
  return (operand) => {
    if (!Array.isArray(operand)) return never;
    return operand.length <= SHORT_LIST ? listed(operand, expected) : contained(operand, expected);
  };
}

function foldedMembership(expected: boolean): Compile {
  return (operand) => {
    if (!Array.isArray(operand)) return never;
    const set = new Set<unknown>(operand.map(lowerCase));
    return (actual) => isInFolded(actual, set) === expected;
  };
}

function groupMembership(expected: boolean): Compile {
  return (operand, segments) => {
    if (typeof operand !== "string") return never;
    const set = segments.get(operand) ?? new Set();
    return (actual) => isIn(actual, set) === expected;
  };
}

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

function compileRegex(pattern: string, flags: string): RegExp | null {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return null;
  }
}

function pattern(flags: string, expected: boolean): Compile {
  return (operand) => {
    const regex = typeof operand === "string" ? compileRegex(operand, flags) : null;
    if (regex === null) return never;
    return (actual) => {
      const subject = textOf(actual);
      if (subject === null || subject.length > LONGEST_SUBJECT) return !expected;
      try {
        return regex.test(subject) === expected;
      } catch {
        // Too large: engines say so at the first use.
        return false;
      }
    };
  };
}

/** The operators by name; those that hold conditions themselves are in `conditions.ts`. */
export const operators: ReadonlyMap<string, Compile> = new Map<string, Compile>([
  ["$eq", (operand) => (actual) => equals(actual, operand)],
  ["$ne", (operand) => (actual) => !equals(actual, operand)],
  ["$gt", comparison((sign) => sign > 0)],
  ["$gte", comparison((sign) => sign >= 0)],
  ["$lt", comparison((sign) => sign < 0)],
  ["$lte", comparison((sign) => sign <= 0)],
  ["$in", membership(true)],
  ["$nin", membership(false)],
  ["$ini", foldedMembership(true)],
  ["$nini", foldedMembership(false)],
  ["$inGroup", groupMembership(true)],
  ["$notInGroup", groupMembership(false)],
  ["$regex", pattern("", true)],
  ["$regexi", pattern("i", true)],
  ["$notRegex", pattern("", false)],
  ["$notRegexi", pattern("i", false)],
  ["$vgt", versionComparison((sign) => sign > 0)],
  ["$vgte", versionComparison((sign) => sign >= 0)],
  ["$vlt", versionComparison((sign) => sign < 0)],
  ["$vlte", versionComparison((sign) => sign <= 0)],
  ["$veq", versionComparison((sign) => sign === 0)],
  ["$vne", versionComparison((sign) => sign !== 0)],
  ["$before", dateComparison((sign) => sign < 0)],
  ["$after", dateComparison((sign) => sign > 0)],
  ["$onOrBefore", dateComparison((sign) => sign <= 0)],
  ["$onOrAfter", dateComparison((sign) => sign >= 0)],
  [
    "$exists",
    (operand) => (actual) => (actual !== null && actual !== undefined) === Boolean(operand),
  ],
  ["$type", (operand) => (actual) => typeOf(actual) === operand],
]);
