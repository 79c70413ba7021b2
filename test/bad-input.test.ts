/** Bad input at every door: a 4xx that names the field, and nothing stored. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
let before: string;

async function everythingStored(): Promise<string> {
  const answers = await Promise.all(
    ["experiments", "metrics", "audit"].map((name) => system.call("GET", `/api/v1/${name}`)),
  );
  return JSON.stringify(answers.map(({ body }) => body));
}

beforeAll(async () => {
  system = await startSystem();
  const metric = { key: "bought", type: "proportion", event: "buy" };
  await system.call("POST", "/api/v1/metrics", { body: metric });
  await system.call("POST", "/api/v1/experiments", { body: valid("taken") });
  before = await everythingStored();
});
afterEach(async () => {
  expect(await everythingStored()).toBe(before);
});
afterAll(() => system.destroy());

const a = { key: "a", weight: 50, value: "A", isControl: true };
const b = { key: "b", weight: 50, value: "B" };

function valid(key: string) {
  return {
    key,
    variants: [a, b],
    metrics: { primary: ["bought"] },
    plan: { maximumSampleSize: 1_000 },
  };
}

interface Case {
  name: string;
  body: unknown;
  status: number;
  /** JSON pointers that the problem names. */
  pointers?: string[];
}

const experimentCases: Case[] = [
  { name: "malformed JSON", body: "{", status: 400 },
  { name: "an empty body", body: "", status: 400 },
  { name: "an array", body: [], status: 400, pointers: [""] },
  {
    name: "an unknown field",
    body: { ...valid("x"), colour: 1 },
    status: 400,
    pointers: ["/colour"],
  },
  {
    name: "an unknown field of the plan",
    body: { ...valid("x"), plan: { maximumSampleSize: 10, alhpa: 0.1 } },
    status: 400,
    pointers: ["/plan/alhpa"],
  },
  { name: "a key that is no slug", body: valid("no spaces"), status: 400, pointers: ["/key"] },
  {
    name: "traffic above 100",
    body: { ...valid("x"), traffic: 101 },
    status: 400,
    pointers: ["/traffic"],
  },
  {
    name: "traffic with three decimals",
    body: { ...valid("x"), traffic: 1.125 },
    status: 400,
    pointers: ["/traffic"],
  },
  {
    name: "a wrong type",
    body: { ...valid("x"), traffic: "50" },
    status: 400,
    pointers: ["/traffic"],
  },
  {
    name: "weights that do not sum to 100",
    body: { ...valid("x"), variants: [a, { ...b, weight: 49 }] },
    status: 400,
    pointers: ["/variants"],
  },
  {
    name: "two controls",
    body: { ...valid("x"), variants: [a, { ...b, isControl: true }] },
    status: 400,
    pointers: ["/variants"],
  },
  {
    name: "no control",
    body: { ...valid("x"), variants: [{ ...a, isControl: false }, b] },
    status: 400,
    pointers: ["/variants"],
  },
  {
    name: "one variant",
    body: { ...valid("x"), variants: [{ ...a, weight: 100 }] },
    status: 400,
    pointers: ["/variants"],
  },
  {
    name: "two variants of one key",
    body: { ...valid("x"), variants: [a, { ...b, key: "a" }] },
    status: 400,
    pointers: ["/variants/1/key"],
  },
  {
    name: "values of two types",
    body: { ...valid("x"), variants: [a, { ...b, value: 2 }] },
    status: 400,
    pointers: ["/variants/1/value"],
  },
  {
    name: "an unknown metric",
    body: { ...valid("x"), metrics: { primary: ["no_such"] } },
    status: 400,
    pointers: ["/metrics/primary/0"],
  },
  {
    name: "a metric in two roles",
    body: { ...valid("x"), metrics: { primary: ["bought"], secondary: ["bought"] } },
    status: 400,
    pointers: ["/metrics/secondary/0"],
  },
  {
    name: "an unknown flag",
    body: { ...valid("x"), flag: "no_such" },
    status: 400,
    pointers: ["/flag"],
  },
  {
    name: "an unknown layer",
    body: { ...valid("x"), layer: "no_such" },
    status: 400,
    pointers: ["/layer"],
  },
  {
    name: "a condition with an unknown operator",
    body: { ...valid("x"), targeting: { country: { $inside: ["US"] } } },
    status: 400,
  },
  {
    name: "a plan without sample size or effect",
    body: { ...valid("x"), plan: {} },
    status: 400,
    pointers: ["/plan/maximumSampleSize"],
  },
  {
    name: "an effect that takes the rate beyond 1",
    body: { ...valid("x"), plan: { baseline: 0.9, minimumDetectableEffect: 0.5 } },
    status: 400,
    pointers: ["/plan"],
  },
  {
    name: "looks that do not end at 1",
    body: { ...valid("x"), plan: { maximumSampleSize: 100, looks: { fractions: [0.5, 0.9] } } },
    status: 400,
    pointers: ["/plan/looks/fractions"],
  },
  { name: "a key in use", body: valid("taken"), status: 409 },
  {
    name: "a body over a megabyte",
    body: { ...valid("x"), hypothesis: "x".repeat(1_000_001) },
    status: 413,
  },
];

describe("POST /api/v1/experiments refuses", () => {
  test.each(experimentCases)("$name", async ({ body, status, pointers }) => {
    const answer = await system.call("POST", "/api/v1/experiments", { body });
    expect([answer.status, answer.body]).toMatchObject([
      status,
      { status, code: expect.any(String) },
    ]);
    if (pointers !== undefined) {
      const errors = pointers.map((pointer) => expect.objectContaining({ pointer }));
      expect(answer.body).toMatchObject({ errors: expect.arrayContaining(errors) });
    }
  });
});

const metric = { key: "m", type: "mean", event: "e" };

const metricCases: Case[] = [
  {
    name: "an unknown type",
    body: { ...metric, type: "median" },
    status: 400,
    pointers: ["/type"],
  },
  { name: "a missing event", body: { key: "m", type: "mean" }, status: 400, pointers: ["/event"] },
  {
    name: "a ratio without denominator",
    body: { ...metric, type: "ratio" },
    status: 400,
    pointers: ["/denominator"],
  },
  {
    name: "a retention without day",
    body: { ...metric, type: "retention" },
    status: 400,
    pointers: ["/returnDays"],
  },
  {
    name: "a proportion that sums",
    body: { ...metric, type: "proportion", aggregation: "sum" },
    status: 400,
    pointers: ["/aggregation"],
  },
  {
    name: "a negative window",
    body: { ...metric, windowHours: -1 },
    status: 400,
    pointers: ["/windowHours"],
  },
  { name: "a key in use", body: { ...metric, key: "bought" }, status: 409 },
];

describe("POST /api/v1/metrics refuses", () => {
  test.each(metricCases)("$name", async ({ body, status, pointers }) => {
    const answer = await system.call("POST", "/api/v1/metrics", { body });
    expect(answer.status).toBe(status);
    for (const pointer of pointers ?? []) {
      expect(answer.body).toMatchObject({
        errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
      });
    }
  });
});

const evaluateCases: Case[] = [
  { name: "malformed JSON", body: "{]", status: 400 },
  { name: "a context that is a list", body: { context: [] }, status: 400, pointers: ["/context"] },
  { name: "flags that are no list", body: { flags: "x" }, status: 400, pointers: ["/flags"] },
  { name: "an unknown field", body: { flag: ["x"] }, status: 400, pointers: ["/flag"] },
  {
    name: "10,000 flags",
    body: { flags: Array.from({ length: 10_000 }, String) },
    status: 400,
    pointers: ["/flags"],
  },
  { name: "a huge body", body: { context: { a: "x".repeat(1_000_000) } }, status: 413 },
];

describe("POST /api/v1/evaluate refuses", () => {
  test.each(evaluateCases)("$name", async ({ body, status, pointers }) => {
    const answer = await system.call("POST", "/api/v1/evaluate", { body });
    expect(answer.status).toBe(status);
    for (const pointer of pointers ?? []) {
      expect(answer.body).toMatchObject({
        errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
      });
    }
  });
});

test("an unknown flag is an answer of its own, not a failure of the request", async () => {
  const body = { context: { targetingKey: "u" }, flags: ["no_such"] };
  const answer = await system.call("POST", "/api/v1/evaluate", { body });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    flags: { no_such: { reason: "ERROR", errorCode: "FLAG_NOT_FOUND" } },
  });
});

const lifecycleCases = [
  ["an unknown experiment", "no_such/start", undefined, 404],
  ["an unknown action", "taken/begin", undefined, 404],
  ["an unknown field", "taken/start", { because: "x" }, 400],
  ["malformed JSON", "taken/start", "{", 400],
] as const;

test.each(lifecycleCases)("a lifecycle call refuses %s", async (_name, path, body, status) => {
  const answer = await system.call("POST", `/api/v1/experiments/${path}`, { body });
  expect([answer.status, answer.body]).toMatchObject([status, { status }]);
});

test("results of an unknown experiment are 404, of a draft 422", async () => {
  expect((await system.call("GET", "/api/v1/experiments/no_such/results")).status).toBe(404);
  expect((await system.call("GET", "/api/v1/experiments/taken/results")).status).toBe(422);
});

test("a body with a wrong encoding is refused by name", async () => {
  const answer = await system.call("POST", "/api/v1/evaluate", {
    body: "{}",
    headers: { "content-encoding": "br" },
  });
  expect([answer.status, answer.body]).toMatchObject([415, { code: "unsupported-encoding" }]);
});
