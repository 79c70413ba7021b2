/** No snapshot and no context makes evaluation throw, and whatever comes back is well formed. */
import {
  anything,
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  letrec,
  option,
  oneof,
  property,
  record,
  string,
  tuple,
  type Arbitrary,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, evaluate, evaluateAll, explain, matches, validateCondition } from "./index.ts";
import type {
  Condition,
  Context,
  Evaluation,
  Experiment,
  Flag,
  Holdout,
  Json,
  Rule,
  Segment,
  Snapshot,
} from "./index.ts";
import { operators } from "./operators.ts";

const NAMES = ["a", "b", "c", "targetingKey", "__proto__", "constructor", "toString", "", "a.b"];

const name = constantFrom(...NAMES);
/** What a published number should be, and what it should not. */
const number = oneof(integer({ min: 0, max: 10_000 }), double());
const { json } = letrec<{ json: Json }>((tie) => ({
  json: oneof(
    { depthSize: "small" },
    constant(null),
    boolean(),
    double({ noNaN: true, noDefaultInfinity: true }),
    oneof(string(), name),
    array(tie("json"), { maxLength: 3 }),
    dictionary(name, tie("json"), { maxKeys: 3 }),
  ),
}));

const { condition } = letrec<{ condition: Condition; operand: Json }>((tie) => ({
  condition: dictionary(
    oneof(name, constantFrom("$and", "$or", "$nor", "$not", "$nonsense")),
    tie("operand"),
    { maxKeys: 3 },
  ),
  operand: oneof(
    { depthSize: "small" },
    json,
    constantFrom("^a", "(", "[", "1.2.3", "2026-01-01", "a", "number"),
    dictionary(
      constantFrom(
        ...operators.keys(),
        "$not",
        "$all",
        "$alli",
        "$size",
        "$elemMatch",
        "$nonsense",
      ),
      tie("operand"),
      { maxKeys: 2 },
    ),
    array(tie("operand"), { maxLength: 3 }),
    tie("condition"),
  ),
}));

const split = array(record({ variant: name, weightBasisPoints: number }), { maxLength: 3 });
const rule: Arbitrary<Rule> = oneof(
  record({ when: condition, serve: name }, { requiredKeys: ["serve"] }),
  record(
    { when: condition, unit: name, rolloutBasisPoints: number, split },
    { requiredKeys: ["unit", "split"] },
  ),
  record({ when: condition, experiment: name }, { requiredKeys: ["experiment"] }),
);
const flag: Arbitrary<Flag> = record(
  {
    key: name,
    type: constantFrom("boolean", "string", "number", "object"),
    variants: array(record({ key: name, value: json }), { maxLength: 4 }),
    defaultVariant: name,
    offVariant: name,
    enabled: oneof({ weight: 4, arbitrary: constant(true) }, boolean()),
    salt: string(),
    overrides: dictionary(name, array(name, { maxLength: 3 }), { maxKeys: 2 }),
    prerequisites: array(record({ flag: name, variants: array(name, { maxLength: 3 }) }), {
      maxLength: 2,
    }),
    rules: array(rule, { maxLength: 4 }),
  },
  { requiredKeys: ["key", "type", "variants", "defaultVariant", "enabled", "salt", "rules"] },
);
const experiment: Arbitrary<Experiment> = record(
  {
    key: name,
    hashVersion: constant(1 as const),
    phase: integer({ min: 1 }),
    salt: string(),
    unit: name,
    control: name,
    variants: split,
    targeting: condition,
    layer: option(name),
    layerSalt: string(),
    slots: array(tuple(number, number), { maxLength: 3 }),
    startAt: number,
    endAt: number,
  },
  {
    requiredKeys: [
      "key",
      "hashVersion",
      "phase",
      "salt",
      "unit",
      "control",
      "variants",
      "layer",
      "layerSalt",
      "slots",
    ],
  },
);
const holdout: Arbitrary<Holdout> = record({
  key: name,
  salt: string(),
  unit: name,
  basisPoints: number,
  layer: option(name),
});
const segment: Arbitrary<Segment> = record({ key: name, values: array(json, { maxLength: 3 }) });
const snapshot: Arbitrary<Snapshot> = record({
  formatVersion: constant(1 as const),
  environment: name,
  version: integer(),
  flags: array(flag, { maxLength: 6 }),
  experiments: array(experiment, { maxLength: 4 }),
  holdouts: array(holdout, { maxLength: 3 }),
  segments: array(segment, { maxLength: 3 }),
});

const context: Arbitrary<Context> = oneof(
  dictionary(name, oneof(name, json, number), { maxKeys: 6 }),
  dictionary(
    name,
    anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
  ),
);

function complaints(evaluation: Evaluation): string[] {
  const { reason, value, variant, errorCode, exposure } = evaluation;
  return [
    (value === undefined) === (variant === undefined) || "value and variant come together",
    reason !== "ERROR" || errorCode !== undefined || "an error has a code",
    reason !== "ERROR" || value === undefined || "an error has no value",
    reason === "ERROR" || reason === "DISABLED" || value !== undefined || "a value is missing",
    exposure === undefined || (reason === "SPLIT" && exposure.variant === variant) || "exposure",
    errorCode !== "INVALID_CONTEXT" || "plain data cannot be unreadable",
  ].filter((complaint) => complaint !== true);
}

const runs = { numRuns: 1500 };

describe("for any snapshot and any context of plain data", () => {
  test("evaluate, evaluateAll and explain answer, well formed and the same", () => {
    assert(
      property(
        snapshot,
        context,
        option(number, { nil: undefined }),
        (published, attributes, nowMs) => {
          const compiled = compile(published);
          const all = evaluateAll(compiled, attributes, nowMs);
          expect(all.map((one) => one.flag)).toEqual([...compiled.flags.keys()]);
          for (const evaluation of all) {
            expect(complaints(evaluation)).toEqual([]);
            expect(evaluate(compiled, evaluation.flag, attributes, nowMs)).toEqual(evaluation);
            const explained = explain(compiled, evaluation.flag, attributes, nowMs);
            expect(explained.evaluation).toEqual(evaluation);
            expect(() => JSON.stringify(explained)).not.toThrow();
          }
        },
      ),
      runs,
    );
  });

  test("evaluation leaves no trace: neither snapshot nor context changes", () => {
    assert(
      property(snapshot, dictionary(name, json), (published, attributes) => {
        const before = structuredClone([published, attributes]);
        evaluateAll(compile(published), attributes);
        expect([published, attributes]).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test("a condition always has an answer, and its negation the other one", () => {
    assert(
      property(condition, context, (asked, attributes) => {
        const answer = matches(asked, attributes);
        expect(matches({ $not: asked }, attributes)).toBe(!answer);
        expect(matches({ $nor: [asked] }, attributes)).toBe(!answer);
        expect(matches({ $and: [asked, asked] }, attributes)).toBe(answer);
        expect(Array.isArray(validateCondition(asked))).toBe(true);
      }),
      runs,
    );
  });
});
