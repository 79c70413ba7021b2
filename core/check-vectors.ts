/**
 * The vectors, asked of this implementation, the same in every runtime: each check returns what does not hold,
 * in words, and nothing when everything does.
 */
import { bucket, compile, evaluate, explain, hash32, matches } from "./index.ts";
import type { Condition, Context, Evaluation, Json, Snapshot } from "./index.ts";
import { equals, isRecord } from "./values.ts";

interface HashVector {
  text: string;
  hash: number;
}

interface BucketVector {
  salt: string;
  unit: string;
  bucket: number;
}

interface ConditionVector {
  name: string;
  condition: Condition;
  attributes: Context;
  expected: boolean;
  segments?: { [segment: string]: Json[] };
}

/** For each flag, the variant that its only rule assigns to each unit; null when it reaches the unit not at all. */
interface AssignmentVectors {
  snapshot: Snapshot;
  units: string[];
  served: { [flag: string]: (string | null)[] };
}

interface DecisionVectors {
  snapshot: Snapshot;
  decisions: {
    name: string;
    flag: string;
    context: Context;
    nowMs?: number;
    expected: { [field in keyof Evaluation]: Json };
  }[];
}

function failures<V>(
  vectors: unknown,
  isVector: (value: unknown) => value is V,
  complaint: (vector: V) => string | null,
): string[] {
  if (!Array.isArray(vectors) || vectors.length === 0) return ["no vectors"];
  return vectors.flatMap((vector: unknown) => {
    const found = isVector(vector) ? complaint(vector) : "not a vector of this kind";
    return found === null ? [] : [found];
  });
}

function has(keys: string[], value: unknown): boolean {
  return isRecord(value) && keys.every((key) => key in value);
}

function isHashVector(value: unknown): value is HashVector {
  return has(["text", "hash"], value);
}

function isBucketVector(value: unknown): value is BucketVector {
  return has(["salt", "unit", "bucket"], value);
}

function isConditionVector(value: unknown): value is ConditionVector {
  return has(["name", "condition", "attributes", "expected"], value);
}

function areAssignmentVectors(value: unknown): value is AssignmentVectors {
  return has(["snapshot", "units", "served"], value);
}

function areDecisionVectors(value: unknown): value is DecisionVectors {
  return has(["snapshot", "decisions"], value);
}

export function checkHashes(vectors: unknown): string[] {
  return failures(vectors, isHashVector, ({ text, hash }) =>
    hash32(text) === hash ? null : `hash32(${JSON.stringify(text)}) is not ${hash}`,
  );
}

export function checkBuckets(vectors: unknown): string[] {
  return failures(vectors, isBucketVector, ({ salt, unit, bucket: expected }) =>
    bucket(salt, unit) === expected
      ? null
      : `bucket(${JSON.stringify(salt)}, ${JSON.stringify(unit)}) is not ${expected}`,
  );
}

export function checkConditions(vectors: unknown): string[] {
  return failures(
    vectors,
    isConditionVector,
    ({ name, condition, attributes, expected, segments }) =>
      matches(condition, attributes, segments) === expected ? null : name,
  );
}

export function checkAssignments(vectors: unknown): string[] {
  if (!areAssignmentVectors(vectors)) return ["not vectors of this kind"];
  const { snapshot, units, served } = vectors;
  const compiled = compile(snapshot);
  return Object.entries(served).flatMap(([flag, variants]) =>
    units.flatMap((unit, i) => {
      const expected = variants[i] ?? null;
      const { reason, variant, exposure } = evaluate(compiled, flag, { targetingKey: unit });
      const holds =
        expected === null
          ? reason === "DEFAULT" && exposure === undefined
          : reason === "SPLIT" &&
            variant === expected &&
            (exposure?.variant ?? variant) === expected &&
            (exposure !== undefined) === snapshot.experiments.some(({ key }) => key === flag);
      return holds ? [] : [`${flag} serves ${JSON.stringify(unit)} ${variant}, not ${expected}`];
    }),
  );
}

export function checkDecisions(vectors: unknown): string[] {
  if (!areDecisionVectors(vectors)) return ["not vectors of this kind"];
  const compiled = compile(vectors.snapshot);
  return vectors.decisions.flatMap(({ name, flag, context, nowMs, expected }) => {
    // Wording may change; that there is a message may not.
    const { errorMessage, ...evaluation } = evaluate(compiled, flag, context, nowMs);
    const explained = explain(compiled, flag, context, nowMs).evaluation;
    const holds =
      equals(evaluation, expected) &&
      equals({ ...explained, errorMessage: null }, { ...expected, errorMessage: null }) &&
      (errorMessage === undefined) === (evaluation.errorCode === undefined);
    return holds ? [] : [`${name}: ${JSON.stringify(evaluation)}`];
  });
}
