/**
 * What is wrong with a condition, said before it is published. `matches` itself never complains: there, what is not
 * of the language matches nothing.
 */
import { holdsOperators } from "./conditions.ts";
import { epochMs } from "./dates.ts";
import { regexHazard } from "./regex-hazard.ts";
import type { Json, JsonObject } from "./types.ts";
import { isDeeperThan, isRecord } from "./values.ts";

export interface ConditionIssue {
  /** JSON pointer into the condition; empty for the whole. */
  path: string;
  message: string;
}

export interface ConditionSurroundings {
  /** Keys of the environment's segments; left out, any segment may be named. */
  segments?: ReadonlySet<string>;
}

const DEEPEST_NESTING = 20;
const LARGEST_SIZE = 2 ** 31;
const TYPES = ["string", "number", "boolean", "array", "object", "null"];

function isScalar(value: Json): boolean {
  return typeof value !== "object" || value === null;
}

function isVersion(value: Json): boolean {
  return typeof value === "string" && /\d/.test(value) && value.length <= 256;
}

function isSize(value: Json): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < LARGEST_SIZE;
}

function regexComplaint(operand: Json, ignoreCase: boolean): string | null {
  return typeof operand === "string"
    ? regexHazard(operand, ignoreCase)
    : "must be a regular expression, as a string";
}

function segmentComplaint(operand: Json, { segments }: ConditionSurroundings): string | null {
  if (typeof operand !== "string") return "must be the key of a segment";
  return segments === undefined || segments.has(operand) ? null : `there is no segment ${operand}`;
}

/** What is wrong with the operand of an operator that holds no further operators; null when nothing is. */
function complaint(operator: string, operand: Json, around: ConditionSurroundings): string | null {
  switch (operator) {
    case "$eq":
    case "$ne":
      return null;
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return typeof operand === "string" || typeof operand === "number"
        ? null
        : "must be a number or a string";
    case "$in":
    case "$nin":
    case "$ini":
    case "$nini":
      return Array.isArray(operand) && operand.every(isScalar)
        ? null
        : "must be a list of strings, numbers, booleans or nulls";
    case "$inGroup":
    case "$notInGroup":
      return segmentComplaint(operand, around);
    case "$regex":
    case "$notRegex":
      return regexComplaint(operand, false);
    case "$regexi":
    case "$notRegexi":
      return regexComplaint(operand, true);
    case "$vgt":
    case "$vgte":
    case "$vlt":
    case "$vlte":
    case "$veq":
    case "$vne":
      return isVersion(operand) ? null : "must be a version, as a string";
    case "$before":
    case "$after":
    case "$onOrBefore":
    case "$onOrAfter":
      return Number.isFinite(epochMs(operand))
        ? null
        : "must be a date: ISO 8601, or milliseconds since 1970 as a number";
    case "$exists":
      return typeof operand === "boolean" ? null : "must be true or false";
    case "$type":
      return typeof operand === "string" && TYPES.includes(operand)
        ? null
        : `must be one of ${TYPES.join(", ")}`;
    default:
      return "is not an operator";
  }
}

function checkOperator(
  operator: string,
  operand: Json,
  path: string,
  around: ConditionSurroundings,
): ConditionIssue[] {
  switch (operator) {
    case "$not":
      return checkValue(operand, path, around);
    case "$all":
    case "$alli":
      return Array.isArray(operand)
        ? operand.flatMap((item, i) => checkValue(item, `${path}/${i}`, around))
        : [{ path, message: "must be a list" }];
    case "$size":
      return isRecord(operand) || isSize(operand)
        ? checkValue(operand, path, around)
        : [{ path, message: "must be a whole number, or operators" }];
    case "$elemMatch":
      if (!isRecord(operand)) return [{ path, message: "must be operators or a condition" }];
      return holdsOperators(operand)
        ? checkValue(operand, path, around)
        : checkCondition(operand, path, around);
    default: {
      const message = complaint(operator, operand, around);
      return message === null ? [] : [{ path, message }];
    }
  }
}

function checkList(operand: Json, path: string, around: ConditionSurroundings): ConditionIssue[] {
  return Array.isArray(operand)
    ? operand.flatMap((item, i) => checkCondition(item, `${path}/${i}`, around))
    : [{ path, message: "must be a list of conditions" }];
}

function pointer(path: string, key: string): string {
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function checkCondition(
  condition: Json,
  path: string,
  around: ConditionSurroundings,
): ConditionIssue[] {
  if (!isRecord(condition)) return [{ path, message: "must be an object" }];
  return Object.entries(condition).flatMap(([key, operand]) => {
    const at = pointer(path, key);
    if (key === "$and" || key === "$or" || key === "$nor") return checkList(operand, at, around);
    if (key === "$not") return checkCondition(operand, at, around);
    if (key.startsWith("$")) {
      return [
        {
          path: at,
          message: "is not $and, $or, $nor or $not: other operators belong below an attribute",
        },
      ];
    }
    if (key.split(".").includes(""))
      return [{ path: at, message: "is not the path of an attribute" }];
    return checkValue(operand, at, around);
  });
}

/** What an attribute is compared with: operators, or a value that it must equal. */
function checkValue(expected: Json, path: string, around: ConditionSurroundings): ConditionIssue[] {
  if (!isRecord(expected)) return [];
  const entries = Object.entries(expected);
  if (entries.length === 0) return [{ path, message: "is empty: there is nothing that it asks" }];
  if (!holdsOperators(expected)) return checkLiteral(expected, path);
  return entries.flatMap(([operator, operand]) =>
    checkOperator(operator, operand, pointer(path, operator), around),
  );
}

/** An operator inside a value that is compared as a whole is never one: its path was meant to be dotted. */
function checkLiteral(value: JsonObject, path: string): ConditionIssue[] {
  return Object.entries(value).flatMap(([key, item]) => {
    const at = pointer(path, key);
    if (key.startsWith("$")) {
      return [
        { path: at, message: "is an operator inside a value: write the path with dots, like a.b" },
      ];
    }
    return isRecord(item) ? checkLiteral(item, at) : [];
  });
}

/** Everything that is wrong with a condition, each with its place; empty when it may be published. */
export function validateCondition(
  condition: Json,
  surroundings: ConditionSurroundings = {},
): ConditionIssue[] {
  return isDeeperThan(condition, DEEPEST_NESTING)
    ? [{ path: "", message: `is nested deeper than ${DEEPEST_NESTING} levels` }]
    : checkCondition(condition, "", surroundings);
}
