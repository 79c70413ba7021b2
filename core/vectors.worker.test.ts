import { expect, test } from "vitest";
import {
  checkAssignments,
  checkBuckets,
  checkConditions,
  checkDecisions,
  checkHashes,
} from "./check-vectors.ts";
import bucket from "./fixtures/bucket.json" with { type: "json" };
import conditions from "./fixtures/conditions.json" with { type: "json" };
import decisions from "./fixtures/decisions.json" with { type: "json" };
import hash from "./fixtures/hash.json" with { type: "json" };
import holdouts from "./fixtures/holdouts.json" with { type: "json" };
import layers from "./fixtures/layers.json" with { type: "json" };
import rollout from "./fixtures/rollout.json" with { type: "json" };
import traffic from "./fixtures/traffic.json" with { type: "json" };
import variant from "./fixtures/variant.json" with { type: "json" };

test("workerd gives the same hashes and buckets", () => {
  expect([...checkHashes(hash), ...checkBuckets(bucket)]).toEqual([]);
});

test("workerd gives the same assignments", () => {
  const themes = [traffic, variant, rollout, layers, holdouts];
  expect(themes.flatMap(checkAssignments)).toEqual([]);
});

test("workerd gives the same answers to conditions and the same decisions", () => {
  expect([...checkConditions(conditions), ...checkDecisions(decisions)]).toEqual([]);
});
