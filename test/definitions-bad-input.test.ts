/** Bad definitions at every door: a 4xx that names the place, and nothing stored. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
let before: string;

const plurals = ["flags", "layers", "holdouts", "segments", "metrics", "experiments", "audit"];

async function everythingStored(): Promise<string> {
  const answers = await Promise.all(plurals.map((name) => system.call("GET", `/api/v1/${name}`)));
  return JSON.stringify(answers.map(({ body }) => body));
}

const flag = (key: string, more: object = {}) => ({
  key,
  type: "boolean",
  variants: [
    { key: "on", value: true },
    { key: "off", value: false },
  ],
  defaultVariant: "off",
  ...more,
});
const experiment = (key: string, more: object = {}) => ({
  key,
  traffic: 60,
  layer: "page",
  variants: [
    { key: "a", weight: 50, value: "A", isControl: true },
    { key: "b", weight: 50, value: "B" },
  ],
  metrics: { primary: ["bought"] },
  plan: { maximumSampleSize: 1_000 },
  ...more,
});

let viewer: string;

beforeAll(async () => {
  system = await startSystem();
  for (const [path, body] of [
    ["metrics", { key: "bought", type: "proportion", event: "buy" }],
    ["layers", { key: "page", salt: "page-salt" }],
    ["segments", { key: "staff", values: ["u"] }],
    ["holdouts", { key: "quiet", percent: 5 }],
    ["flags", flag("base")],
    ["flags", flag("needy", { prerequisites: [{ flag: "base", variants: ["on"] }] })],
    ["experiments", experiment("running")],
    ["experiments", experiment("draft")],
    ["experiments/running/start", {}],
  ] as const) {
    const { status } = await system.call("POST", `/api/v1/${path}`, { body });
    expect([path, status]).toEqual([path, expect.toBeOneOf([200, 201])]);
  }
  // Making a key is in the audit log, too.
  viewer = await system.newKey("admin", { role: "viewer" });
  before = await everythingStored();
});
afterEach(async () => {
  expect(await everythingStored()).toBe(before);
});
afterAll(() => system.destroy());

type Case = [name: string, method: string, path: string, body: unknown, pointer: string | null];

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const serving = (when: object) => ({ rules: [{ when, serve: "on" }] });

const refusedBodies: Case[] = [
  ["malformed JSON", "POST", "flags", "{", null],
  ["a list", "POST", "flags", [], ""],
  ["no variants", "POST", "flags", flag("x", { variants: [] }), "/variants"],
  ["an unknown type", "POST", "flags", flag("x", { type: "integer" }), "/type"],
  ["an unknown field", "POST", "flags", flag("x", { colour: 1 }), "/colour"],
  [
    "an unknown field of a rule",
    "POST",
    "flags",
    flag("x", { rules: [{ serves: "on" }] }),
    "/rules/0/serves",
  ],
  ["a key that is no slug", "POST", "flags", flag("a/b"), "/key"],
  [
    "a variant's key that is no slug",
    "POST",
    "flags",
    flag("x", { variants: [{ key: "__proto__", value: true }] }),
    "/variants/0/key",
  ],
  [
    "a value of another type",
    "POST",
    "flags",
    flag("x", { variants: [{ key: "off", value: 0 }] }),
    "/variants/0/value",
  ],
  [
    "an unknown default",
    "POST",
    "flags",
    flag("x", { defaultVariant: "maybe" }),
    "/defaultVariant",
  ],
  [
    "a rollout above 100",
    "POST",
    "flags",
    flag("x", { rules: [{ rollout: 101, split: [] }] }),
    "/rules/0/rollout",
  ],
  [
    "a weight with three decimals",
    "POST",
    "flags",
    flag("x", { rules: [{ split: [{ variant: "on", weight: 0.001 }] }] }),
    "/rules/0/split/0/weight",
  ],
  [
    "weights above 100",
    "POST",
    "flags",
    flag("x", {
      rules: [
        {
          split: [
            { variant: "on", weight: 60 },
            { variant: "off", weight: 41 },
          ],
        },
      ],
    }),
    "/rules/0/split",
  ],
  [
    "a unit with a control character",
    "POST",
    "flags",
    flag("x", { rules: [{ unit: "a\u001fb", split: [{ variant: "on", weight: 1 }] }] }),
    "/rules/0/unit",
  ],
  [
    "an unknown operator",
    "POST",
    "flags",
    flag("x", serving({ a: { $like: "b" } })),
    "/rules/0/when/a/$like",
  ],
  [
    "an unknown segment",
    "POST",
    "flags",
    flag("x", serving({ a: { $inGroup: "no_such" } })),
    "/rules/0/when/a/$inGroup",
  ],
  [
    "a dangerous regular expression",
    "POST",
    "flags",
    flag("x", serving({ a: { $regex: "^(\\w+\\s?)*$" } })),
    "/rules/0/when/a/$regex",
  ],
  [
    "a condition nested without end",
    "POST",
    "flags",
    JSON.stringify(flag("x", serving({ a: "HERE" }))).replace('"HERE"', deep(100_000)),
    "/rules/0/when",
  ],
  [
    "a condition with __proto__",
    "POST",
    "flags",
    JSON.stringify(flag("x", serving({ HERE: { $exists: true } }))).replace("HERE", "__proto__"),
    "/rules/0/when",
  ],
  [
    "a number beyond all",
    "POST",
    "flags",
    JSON.stringify(flag("x", serving({ a: { $gt: "HERE" } }))).replace('"HERE"', "1e999"),
    "/rules/0/when",
  ],
  [
    "an unknown prerequisite",
    "POST",
    "flags",
    flag("x", { prerequisites: [{ flag: "no_such", variants: ["on"] }] }),
    "/prerequisites/0/flag",
  ],
  [
    "a cycle of prerequisites",
    "PUT",
    "flags/base",
    flag("base", { prerequisites: [{ flag: "needy", variants: ["on"] }] }),
    "/prerequisites",
  ],
  [
    "a flag without what another needs",
    "PUT",
    "flags/base",
    flag("base", { variants: [{ key: "off", value: false }] }),
    "/variants",
  ],
  [
    "a flag without its experiment",
    "PUT",
    "flags/running",
    {
      ...flag("running"),
      type: "string",
      variants: [
        { key: "a", value: "A" },
        { key: "b", value: "B" },
      ],
      defaultVariant: "a",
    },
    "/rules",
  ],
  ["another key than the path's", "PUT", "flags/base", flag("other"), "/key"],
  ["a version that is no number", "PUT", "flags/base", flag("base", { version: "1" }), "/version"],
  ["another salt", "PUT", "layers/page", { salt: "other" }, "/salt"],
  ["an empty salt", "POST", "layers", { key: "x", salt: "" }, "/salt"],
  ["a holdout above 100", "POST", "holdouts", { key: "x", percent: 100.5 }, "/percent"],
  ["a holdout without percentage", "POST", "holdouts", { key: "x" }, "/percent"],
  [
    "a holdout of an unknown layer",
    "POST",
    "holdouts",
    { key: "x", percent: 5, layer: "no_such" },
    "/layer",
  ],
  ["a segment of objects", "POST", "segments", { key: "x", values: ["a", {}] }, "/values/1"],
  ["a segment without values", "POST", "segments", { key: "x" }, "/values"],
  ["a metric of an unknown type", "PUT", "metrics/bought", { type: "median", event: "e" }, "/type"],
  [
    "an experiment in an unknown layer",
    "POST",
    "experiments",
    experiment("x", { layer: "no_such" }),
    "/layer",
  ],
  [
    "another kind of unit in a layer",
    "POST",
    "experiments",
    experiment("x", { unit: "device" }),
    "/unit",
  ],
  ["a dimension", "POST", "experiments", experiment("x", { dimensions: ["sdk"] }), "/dimensions/0"],
  [
    "a variant that nobody gets",
    "POST",
    "experiments",
    experiment("x", {
      variants: [
        { key: "a", weight: 100, value: 1, isControl: true },
        { key: "b", weight: 0, value: 2 },
      ],
    }),
    "/variants/1/weight",
  ],
  [
    "a value nested without end",
    "POST",
    "experiments",
    JSON.stringify(experiment("x", { targeting: "HERE" })).replace(
      '"HERE"',
      `{"a":${deep(50_000)}}`,
    ),
    "/targeting",
  ],
  [
    "a draft moved to another flag",
    "PUT",
    "experiments/draft",
    experiment("draft", { flag: "base" }),
    "/flag",
  ],
  ["a ramp without traffic", "POST", "experiments/running/ramp", {}, "/traffic"],
  ["a ramp to a word", "POST", "experiments/running/ramp", { traffic: "all" }, "/traffic"],
];

describe("refused with 400, naming the place:", () => {
  test.each(refusedBodies)("%s (%s %s)", async (_name, method, path, body, pointer) => {
    const answer = await system.call(method, `/api/v1/${path}`, { body });
    expect([answer.status, answer.body]).toMatchObject([
      400,
      {
        detail: expect.any(String),
        ...(pointer !== null && {
          errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
        }),
      },
    ]);
  });
});

const refused: [name: string, method: string, path: string, body: unknown, status: number][] = [
  ["a flag's key in use", "POST", "flags", flag("base"), 409],
  ["the key of an experiment's own flag", "POST", "flags", flag("draft"), 409],
  ["a layer's key in use", "POST", "layers", { key: "page" }, 409],
  ["an unknown flag", "PUT", "flags/no_such", flag("no_such"), 404],
  ["an unknown holdout", "DELETE", "holdouts/no_such", undefined, 404],
  ["an unknown experiment", "PUT", "experiments/no_such", experiment("no_such"), 404],
  ["an experiment for which its layer has no room", "POST", "experiments/draft/start", {}, 422],
  ["less traffic", "POST", "experiments/running/ramp", { traffic: 5 }, 422],
  ["more traffic than the layer has", "POST", "experiments/draft/ramp", { traffic: 90 }, 422],
  ["a running experiment replaced", "PUT", "experiments/running", experiment("running"), 422],
  ["a running experiment archived", "DELETE", "experiments/running", undefined, 422],
  ["a segment over a megabyte", "POST", "segments", { key: "x", values: ["x".repeat(1e6)] }, 413],
];

test.each(refused)("refused: %s (%s %s)", async (_name, method, path, body, status) => {
  const answer = await system.call(method, `/api/v1/${path}`, { body });
  expect([answer.status, answer.body]).toMatchObject([
    status,
    { status, detail: expect.any(String) },
  ]);
});

test.each(["x", '"a"', '"1', "1.5"])("an If-Match of %s is refused by name", async (tag) => {
  const headers = { "if-match": tag };
  const body = flag("base");
  const answer = await system.call("PUT", "/api/v1/flags/base", { body, headers });
  expect([answer.status, answer.body]).toMatchObject([
    400,
    { detail: expect.stringContaining("If-Match") },
  ]);
});

test("a viewer reads definitions and changes none", async () => {
  const key = viewer;
  for (const plural of plurals) {
    expect((await system.call("GET", `/api/v1/${plural}`, { key })).status).toBe(200);
  }
  for (const [method, path] of [
    ["POST", "flags"],
    ["PUT", "layers/page"],
    ["DELETE", "segments/staff"],
    ["POST", "experiments/running/ramp"],
  ] as const) {
    const answer = await system.call(method, `/api/v1/${path}`, { key, body: { key: "x" } });
    expect([path, answer.status]).toEqual([path, 403]);
  }
});

test("keys that name members of objects everywhere are keys like any other, from evaluation to results", async () => {
  const headers = { "x-edgewise-environment": "other/production" };
  const send = (method: string, path: string, body?: object) =>
    system.call(method, `/api/v1/${path}`, { headers, ...(body && { body }) });
  const key = "constructor";
  const metric = { key, type: "proportion", event: key, windowHours: 1 };
  expect((await send("POST", "metrics", metric)).status).toBe(201);
  const names = ["toString", "valueOf"];
  const made = await send("POST", "experiments", {
    key,
    unit: "hasOwnProperty",
    dimensions: ["isPrototypeOf"],
    variants: names.map((variant, index) => ({
      key: variant,
      weight: 50,
      value: index,
      isControl: index === 0,
    })),
    metrics: { primary: [key] },
    plan: { maximumSampleSize: 100 },
  });
  expect(made.status).toBe(201);
  expect((await send("POST", `experiments/${key}/start`)).status).toBe(200);
  const variants: string[] = [];
  for (let i = 0; i < 20; i += 1) {
    const context = `{"__proto__":{"hasOwnProperty":"x"},"hasOwnProperty":"u${i}","isPrototypeOf":"y"}`;
    const body = `{"context":${context},"flags":["${key}"]}`;
    const { body: evaluated } = await system.call("POST", "/api/v1/evaluate", { headers, body });
    const answer = z.object({
      variant: z.enum(["toString", "valueOf"]),
      experiment: z.literal(key),
    });
    const { flags } = z.parse(z.object({ flags: z.object({ [key]: answer }) }), evaluated);
    variants.push(flags[key]?.variant ?? "");
  }
  const [first, second] = names.map((name) => variants.filter((each) => each === name).length);
  await system.runner.drained();
  await system.runner.tick(new Date());
  const results = await send("GET", `experiments/${key}/results`);
  expect(results.body).toMatchObject({
    sampleRatio: { observed: { toString: first, valueOf: second } },
    metrics: [{ metric: key, variants: { toString: { n: first }, valueOf: { n: second } } }],
  });
});
