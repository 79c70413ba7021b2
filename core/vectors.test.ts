import { expect, test } from "vitest";
import bucket from "./fixtures/bucket.json" with { type: "json" };
import {
  checkAssignments,
  checkBuckets,
  checkConditions,
  checkDecisions,
  checkHashes,
} from "./check-vectors.ts";
import conditions from "./fixtures/conditions.json" with { type: "json" };
import decisions from "./fixtures/decisions.json" with { type: "json" };
import hash from "./fixtures/hash.json" with { type: "json" };
import holdouts from "./fixtures/holdouts.json" with { type: "json" };
import layers from "./fixtures/layers.json" with { type: "json" };
import rollout from "./fixtures/rollout.json" with { type: "json" };
import traffic from "./fixtures/traffic.json" with { type: "json" };
import variant from "./fixtures/variant.json" with { type: "json" };

test("hashes, as an independent murmur3 gives them", () => {
  expect(checkHashes(hash)).toEqual([]);
});

test("buckets, as an independent murmur3 gives them", () => {
  expect(checkBuckets(bucket)).toEqual([]);
});

test.each(Object.entries({ traffic, variant, rollout, layers, holdouts }))(
  "%s, as computed independently",
  (_, vectors) => {
    expect(checkAssignments(vectors)).toEqual([]);
  },
);

test("conditions, operator by operator", () => {
  expect(checkConditions(conditions)).toEqual([]);
});

test("decisions, in their order and with their reasons", () => {
  expect(checkDecisions(decisions)).toEqual([]);
});

test("a vector that does not hold is reported", () => {
  expect(checkHashes([{ text: "a", hash: 1 }])).toHaveLength(1);
  expect(checkBuckets([{ salt: "s", unit: "u", bucket: -1 }])).toHaveLength(1);
  expect(checkConditions([{ name: "n", condition: {}, attributes: {}, expected: false }])).toEqual([
    "n",
  ]);
  const units = ["somebody else", ...variant.units];
  expect(checkAssignments({ ...variant, units })).not.toEqual([]);
  const [first] = decisions.decisions;
  const wrong = { ...first, expected: { flag: "nobody", reason: "STATIC" } };
  expect(checkDecisions({ ...decisions, decisions: [wrong] })).toHaveLength(1);
  expect(checkHashes([])).toEqual(["no vectors"]);
});
