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
const TYPES = ["string", "number", "boolean", "array", "object", "null", "undefined"];

type Check = (operand: Json, path: string, surroundings: ConditionSurroundings) => ConditionIssue[];

/** A check that has one thing to say about an operand, or null. */
function check(complaint: (operand: Json, around: ConditionSurroundings) => string | null): Check {
  return (operand, path, around) => {
    const message = complaint(operand, around);
    return message === null ? [] : [{ path, message }];
  };
}

function isScalar(value: Json): boolean {
  return typeof value !== "object" || value === null;
}

const anything: Check = () => [];

const orderable = check((operand) =>
  typeof operand === "string" || typeof operand === "number"
    ? null
    : "must be a number or a string",
);

const scalars = check((operand) =>
  Array.isArray(operand) && operand.every(isScalar)
    ? null
    : "must be a list of strings, numbers, booleans or nulls",
);

const version = check((operand) =>
  typeof operand === "string" && /\d/.test(operand) && operand.length <= 256
    ? null
    : "must be a version, as a string",
);

const date = check((operand) =>
  Number.isFinite(epochMs(operand))
    ? null
    : "must be a date: ISO 8601, or milliseconds since 1970 as a number",
);

const group = check((operand, { segments }) => {
  if (typeof operand !== "string") return "must be the key of a segment";
  return segments === undefined || segments.has(operand) ? null : `there is no segment ${operand}`;
});

function regex(ignoreCase: boolean): Check {
  return check((operand) =>
    typeof operand === "string"
      ? regexHazard(operand, ignoreCase)
      : "must be a regular expression, as a string",
  );
}

const checkList: Check = (operand, path, around) =>
  Array.isArray(operand)
    ? operand.flatMap((item, i) => checkCondition(item, `${path}/${i}`, around))
    : [{ path, message: "must be a list of conditions" }];

const checkItems: Check = (operand, path, around) =>
  Array.isArray(operand)
    ? operand.flatMap((item, i) => checkValue(item, `${path}/${i}`, around))
    : [{ path, message: "must be a list" }];

const checkElement: Check = (operand, path, around) => {
  if (!isRecord(operand)) return [{ path, message: "must be an object: operators or a condition" }];
  return holdsOperators(operand)
    ? checkValue(operand, path, around)
    : checkCondition(operand, path, around);
};

const checkSize: Check = (operand, path, around) =>
  isRecord(operand) ||
  (typeof operand === "number" &&
    Number.isInteger(operand) &&
    operand >= 0 &&
    operand < LARGEST_SIZE)
    ? checkValue(operand, path, around)
    : [{ path, message: "must be a whole number, or operators" }];

const checkedOperators: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["$eq", anything],
  ["$ne", anything],
  ["$gt", orderable],
  ["$gte", orderable],
  ["$lt", orderable],
  ["$lte", orderable],
  ["$in", scalars],
  ["$nin", scalars],
  ["$ini", scalars],
  ["$nini", scalars],
  ["$inGroup", group],
  ["$notInGroup", group],
  ["$regex", regex(false)],
  ["$regexi", regex(true)],
  ["$notRegex", regex(false)],
  ["$notRegexi", regex(true)],
  ["$vgt", version],
  ["$vgte", version],
  ["$vlt", version],
  ["$vlte", version],
  ["$veq", version],
  ["$vne", version],
  ["$before", date],
  ["$after", date],
  ["$onOrBefore", date],
  ["$onOrAfter", date],
  ["$exists", check((operand) => (typeof operand === "boolean" ? null : "must be true or false"))],
  [
    "$type",
    check((operand) =>
      typeof operand === "string" && TYPES.includes(operand)
        ? null
        : `must be one of ${TYPES.join(", ")}`,
    ),
  ],
  ["$not", checkValue],
  ["$all", checkItems],
  ["$alli", checkItems],
  ["$size", checkSize],
  ["$elemMatch", checkElement],
]);

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
  if (!holdsOperators(expected)) return checkLiteral(expected, path);
  const entries = Object.entries(expected);
  if (entries.length === 0) return [{ path, message: "is empty, and so would match anything" }];
  return entries.flatMap(([operator, operand]) => {
    const at = pointer(path, operator);
    const checkOperand = checkedOperators.get(operator);
    return checkOperand?.(operand, at, around) ?? [{ path: at, message: "is not an operator" }];
  });
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
