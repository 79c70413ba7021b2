/** Turns a problem into its response (RFC 9457); nothing else does. */

import type { Problem, ProblemCode } from "../contracts/problem.ts";

export const requestIdHeader = "x-request-id";

const statuses: Record<ProblemCode, number> = {
  "malformed-json": 400,
  "invalid-body": 400,
  "invalid-parameter": 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  conflict: 409,
  "version-mismatch": 412,
  "body-too-large": 413,
  "unsupported-encoding": 415,
  "not-possible": 422,
  "rate-limited": 429,
  "internal-error": 500,
  unavailable: 503,
};

const titles: Record<ProblemCode, string> = {
  "malformed-json": "The body is not JSON",
  "invalid-body": "The body has invalid fields",
  "invalid-parameter": "A parameter is invalid",
  unauthenticated: "A valid API key is required",
  forbidden: "This key may not do that",
  "not-found": "There is no such resource",
  "method-not-allowed": "The resource does not support this method",
  conflict: "The change conflicts with what exists",
  "version-mismatch": "The resource has changed since it was read",
  "body-too-large": "The body is too large",
  "unsupported-encoding": "The body's encoding is not supported",
  "not-possible": "The change is not possible in this state",
  "rate-limited": "Too many requests",
  "internal-error": "Something failed on our side",
  unavailable: "Temporarily unavailable",
};

export function problemResponse(problem: Problem, requestId: string): Response {
  const { code, detail, errors, retryAfterSeconds } = problem;
  const status = statuses[code];
  const headers = new Headers({
    "content-type": "application/problem+json",
    [requestIdHeader]: requestId,
  });
  if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="edgewise"');
  const body = {
    type: `urn:edgewise:problem:${code}`,
    title: titles[code],
    status,
    code,
    detail,
    requestId,
    ...(errors && { errors }),
  };
  return new Response(JSON.stringify(body), { status, headers });
}
