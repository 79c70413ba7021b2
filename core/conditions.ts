/**
 * Conditions in the MongoDB-style language that GrowthBook's SDKs share (docs/conditions.md), compiled to closures.
 * Matching never throws for attributes of plain data, and asks about nothing but the attributes. What is not of the
 * language (an unknown operator, a wrong operand, nesting beyond the limit) makes its part match nothing.
 */
import { never, operators, type SegmentSets, type Test } from "./operators.ts";
import type { Condition, Context, Json, JsonObject } from "./types.ts";
import { equals, isDeeperThan, isRecord, own } from "./values.ts";

/** Far beyond what publishing accepts; a stack is safe at this depth. */
const DEEPEST_NESTING = 100;

/** Whether an object holds operators, not a value to equal: it has keys, and every one starts with `$`. */
export function holdsOperators(value: JsonObject): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key.startsWith("$"));
}

// A closure keeps all that its maker has in scope: makers are small, so that thousands of conditions stay near each other.

function both(first: Test, second: Test): Test {
  return (actual) => first(actual) && second(actual);
}

function every(tests: Test[]): Test {
  return (actual) => tests.every((test) => test(actual));
}

function allOf(tests: Test[]): Test {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return tests.length === 2 ? both(first, second) : every(tests);
}

function anyOf(tests: Test[]): Test {
  if (tests.length === 0) return () => true;
  return (actual) => tests.some((test) => test(actual));
}

function not(test: Test): Test {
  return (actual) => !test(actual);
}

function atName(name: string, test: Test): Test {
  return (attributes) => test(own(attributes, name));
}

function atNames(names: string[], test: Test): Test {
  return (attributes) => test(names.reduce<unknown>(own, attributes));
}

/** A test of the value at a dotted path of what it is given. */
function at(path: string, test: Test): Test {
  return path.includes(".") ? atNames(path.split("."), test) : atName(path, test);
}

function compileField(key: string, operand: Json, segments: SegmentSets): Test {
  switch (key) {
    case "$and":
    case "$or":
    case "$nor": {
      if (!Array.isArray(operand)) return never;
      const tests = operand.map((item) => compileTest(item, segments));
      if (key === "$and") return allOf(tests);
      return key === "$or" ? anyOf(tests) : not(anyOf(tests));
    }
    case "$not":
      return isRecord(operand) ? not(compileTest(operand, segments)) : never;
    default:
      return key.startsWith("$") ? never : at(key, compileValue(operand, segments));
  }
}

function compileTest(condition: Json, segments: SegmentSets): Test {
  if (!isRecord(condition)) return never;
  return allOf(Object.entries(condition).map(([key, item]) => compileField(key, item, segments)));
}

/** The test of one value: operators, or a value that it must equal. */
function compileValue(expected: Json, segments: SegmentSets): Test {
  if (!isRecord(expected) || !holdsOperators(expected)) {
    return typeof expected === "string"
      ? (actual) => actual === expected
      : (actual) => equals(actual, expected);
  }
  return allOf(
    Object.entries(expected).map(([operator, operand]) =>
      compileOperator(operator, operand, segments),
    ),
  );
}

function compileItems(operand: Json, test: (item: Json) => Test): Test {
  if (!Array.isArray(operand)) return never;
  const tests = operand.map(test);
  return (actual) => Array.isArray(actual) && tests.every((one) => actual.some(one));
}

function compileFolded(expected: Json, segments: SegmentSets): Test {
  if (typeof expected !== "string") return compileValue(expected, segments);
  const folded = expected.toLowerCase();
  return (actual) => typeof actual === "string" && actual.toLowerCase() === folded;
}

function compileOperator(operator: string, operand: Json, segments: SegmentSets): Test {
  switch (operator) {
    case "$not":
      return not(compileValue(operand, segments));
    case "$all":
      return compileItems(operand, (item) => compileValue(item, segments));
    case "$alli":
      return compileItems(operand, (item) => compileFolded(item, segments));
    case "$size": {
      const test = compileValue(operand, segments);
      return (actual) => Array.isArray(actual) && test(actual.length);
    }
    case "$elemMatch": {
      if (!isRecord(operand)) return never;
      const test = holdsOperators(operand)
        ? compileValue(operand, segments)
        : compileTest(operand, segments);
      return (actual) => Array.isArray(actual) && actual.some(test);
    }
    default:
      return operators.get(operator)?.(operand, segments) ?? never;
  }
}

/** Compiles a condition once; what comes back tests attributes against it. */
export function compileCondition(condition: Condition, segments: SegmentSets): Test {
  return isDeeperThan(condition, DEEPEST_NESTING) ? never : compileTest(condition, segments);
}

/** Values by segment key, as `$inGroup` and `$notInGroup` name them. */
export type SegmentValues = { readonly [segment: string]: readonly Json[] };

/**
 * Whether the attributes meet the condition. A convenience for a single question:
 * whoever asks one condition many times compiles a snapshot.
 */
export function matches(
  condition: Condition,
  attributes: Context,
  segments: SegmentValues = {},
): boolean {
  const sets = new Map(Object.entries(segments).map(([key, values]) => [key, new Set(values)]));
  return compileCondition(condition, sets)(attributes);
}
