import {
  array,
  assert,
  boolean,
  dictionary,
  jsonValue,
  oneof,
  property,
  record,
  string,
} from "fast-check";
import type { Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import { evaluateBody, readEvaluateBody } from "./evaluate.ts";

const mostly = <T>(usual: Arbitrary<T>) =>
  oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: jsonValue() });

const known = {
  context: mostly(dictionary(string(), jsonValue())),
  flags: mostly(array(string())),
  exposures: mostly(boolean()),
};
const bodies = oneof(
  jsonValue(),
  record(known, { requiredKeys: ["context", "flags"] }),
  record({ ...known, other: jsonValue() }, { requiredKeys: [] }),
);

test("what is read quickly is what the schema makes of it", () => {
  let quick = 0;
  assert(
    property(bodies, (body) => {
      const json: unknown = JSON.parse(JSON.stringify(body));
      const read = readEvaluateBody(json);
      if (read === null) return;
      quick += 1;
      expect(z.safeParse(evaluateBody, json)).toEqual({ success: true, data: read });
    }),
    { numRuns: 2_000 },
  );
  expect(quick).toBeGreaterThan(100);
});

test("more flags than may be asked for are left to the schema, which refuses them", () => {
  const body = { context: {}, flags: Array.from({ length: 1_001 }, String) };
  expect(readEvaluateBody(body)).toBeNull();
  expect(z.safeParse(evaluateBody, body).success).toBe(false);
});
