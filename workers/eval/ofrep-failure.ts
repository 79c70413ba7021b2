/** What OFREP calls that which is wrong with a request. */

import type { OfrepErrorCode, OfrepFailure } from "../../contracts/ofrep.ts";
import type { Problem, ProblemCode } from "../../contracts/problem.ts";

/** What is wrong with the request itself is 400, whatever it is: clients read no other status as an answer about a flag. */
const statuses: Partial<Record<ProblemCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  "rate-limited": 429,
  "method-not-allowed": 405,
  "internal-error": 500,
  unavailable: 503,
};

export function ofrepStatus({ code }: Problem): number {
  return statuses[code] ?? 400;
}

export function ofrepFailure(problem: Problem, key: string | undefined): OfrepFailure {
  return {
    ...(key !== undefined && { key }),
    errorCode: errorCodeOf(problem),
    errorDetails: problem.detail,
  };
}

function errorCodeOf({ code, errors = [] }: Problem): OfrepErrorCode {
  if (code === "malformed-json") return "PARSE_ERROR";
  if (code !== "invalid-body") return "GENERAL";
  return errors.some(({ pointer }) => pointer === "/context") ? "INVALID_CONTEXT" : "PARSE_ERROR";
}
