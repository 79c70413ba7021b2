/** The one error model: what is expected to go wrong is a value, `Result<T>`, and says what to do about it. */

export interface FieldError {
  /** JSON pointer into the request body, or the name of a header or parameter. */
  pointer: string;
  detail: string;
}

/** Clients may rely on these. */
export type ProblemCode =
  | "malformed-json"
  | "invalid-body"
  | "invalid-parameter"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "method-not-allowed"
  | "conflict"
  | "version-mismatch"
  | "body-too-large"
  | "unsupported-encoding"
  | "not-possible"
  | "rate-limited"
  | "internal-error"
  | "unavailable";

export interface Problem {
  code: ProblemCode;
  /** What is wrong and what to do about it. */
  detail: string;
  errors?: FieldError[];
  retryAfterSeconds?: number;
}

export interface Refusal {
  ok: false;
  problem: Problem;
}

export type Result<T> = { ok: true; value: T } | Refusal;

export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

export function refuse(
  code: ProblemCode,
  detail: string,
  more?: Omit<Problem, "code" | "detail">,
): Refusal {
  return { ok: false, problem: { code, detail, ...more } };
}

/** Refuses a body for named fields. */
export function refuseFields(errors: FieldError[]): Refusal {
  const detail = errors.map((error) => `${error.pointer || "/"}: ${error.detail}`).join("; ");
  return refuse("invalid-body", detail, { errors });
}
