/** Contexts and requests that nobody should send: each is answered, none is a 500, and the next one is served as ever. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
let server: string;

const onOff = [
  { key: "on", value: true },
  { key: "off", value: false },
];

beforeAll(async () => {
  system = await startSystem();
  const flag = await system.call("POST", "/api/v1/flags", {
    body: {
      key: "asked",
      type: "boolean",
      variants: onOff,
      defaultVariant: "off",
      rules: [
        { when: { text: { $regex: "^x*$" } }, serve: "on" },
        { when: { "a.b.c": { $gt: 1 } }, serve: "on" },
        { when: { list: { $elemMatch: { deep: { $exists: true } } } }, serve: "on" },
        { when: { version: { $vgte: "2.0" } }, serve: "on" },
        { split: [{ variant: "on", weight: 100 }] },
      ],
    },
  });
  expect(flag.status).toBe(201);
  server = await system.newKey("server");
});
afterAll(() => system.destroy());

const asked = z.object({
  flags: z.looseObject({
    asked: z.object({
      variant: z.optional(z.string()),
      reason: z.string(),
      errorCode: z.optional(z.string()),
    }),
  }),
});

const post = (path: string, body: string) => system.call("POST", path, { key: server, body });

/** `context` is JSON text, because not everything that is JSON can be written as an object here. */
const evaluate = (context: string, flags: readonly string[] = ["asked"]) =>
  post("/api/v1/evaluate", `{"context": ${context}, "flags": ${JSON.stringify(flags)}}`);

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** Without a unit, and with no rule matching, the default is served. */
const contexts: Record<string, [context: string, variant: string, reason: string]> = {
  "prototype keys": ['{"__proto__": {"targetingKey": "u"}, "constructor": "u"}', "off", "DEFAULT"],
  "a prototype on the way to an attribute": [
    '{"a": {"__proto__": {"b": {"c": 5}}}}',
    "off",
    "DEFAULT",
  ],
  "1e999": ['{"targetingKey": 1e999, "a": {"b": {"c": -1e999}}}', "off", "DEFAULT"],
  "1e999 where a rule compares": ['{"a": {"b": {"c": 1e999}}}', "on", "TARGETING_MATCH"],
  "a number for a unit": ['{"targetingKey": 7}', "on", "SPLIT"],
  "an empty unit": ['{"targetingKey": ""}', "off", "DEFAULT"],
  "10,000 levels of objects": [nested(10_000), "off", "DEFAULT"],
  "10,000 levels of lists": [
    `{"list": ${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    "off",
    "DEFAULT",
  ],
  "a text as long as a body may be": [`{"text": "${"x".repeat(250_000)}"}`, "off", "DEFAULT"],
  "a unit as long as a body may be": [`{"targetingKey": "${"u".repeat(250_000)}"}`, "on", "SPLIT"],
  "a version as long as a body may be": [
    `{"version": "${"1.".repeat(120_000)}"}`,
    "off",
    "DEFAULT",
  ],
  "a list of 50,000": [
    `{"list": [${Array.from({ length: 50_000 }, () => "1").join()}]}`,
    "off",
    "DEFAULT",
  ],
  "10,000 attributes": [
    `{${Array.from({ length: 10_000 }, (_, i) => `"a${i}": ${i}`).join()}}`,
    "off",
    "DEFAULT",
  ],
  "ill-formed text": [String.raw`{"targetingKey": "\ud800"}`, "on", "SPLIT"],
};

describe("a context is answered that has", () => {
  test.each(Object.entries(contexts))("%s", async (_name, [context, variant, reason]) => {
    const answer = await evaluate(context);
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { flags: { asked: { variant, reason } } },
    ]);
  });
});

const refused: Record<string, [path: string, body: string, status: number, problem: object]> = {
  "a string of 1 MB": [
    "/api/v1/evaluate",
    `{"context": {"text": "${"x".repeat(1_000_000)}"}, "flags": ["asked"]}`,
    413,
    { code: "body-too-large" },
  ],
  "a string of 1 MB, by OFREP, which has no 413": [
    "/ofrep/v1/evaluate/flags/asked",
    `{"context": {"text": "${"x".repeat(1_000_000)}"}}`,
    400,
    { key: "asked", errorCode: "GENERAL" },
  ],
  "10,000 requested flags": [
    "/api/v1/evaluate",
    JSON.stringify({ context: {}, flags: Array.from({ length: 10_000 }, (_, i) => `f${i}`) }),
    400,
    { errors: [{ pointer: "/flags" }] },
  ],
  "NaN, which is no JSON": ["/api/v1/evaluate", '{"context": {"a": NaN}}', 400, {}],
  "a context that is a list": ["/api/v1/evaluate", '{"context": []}', 400, {}],
  "a context that is null": ["/api/v1/evaluate", '{"context": null}', 400, {}],
};

test.each(Object.entries(refused))("%s: refused", async (_name, [path, body, status, problem]) => {
  const answer = await post(path, body);
  expect([answer.status, answer.body]).toMatchObject([status, problem]);
});

test("1,000 flags that do not exist are each told so", async () => {
  const keys = Array.from({ length: 1_000 }, (_, i) => `no_such_${i}`);
  const { status, body } = await evaluate("{}", keys);
  expect(status).toBe(200);
  const { flags } = z.parse(z.object({ flags: z.record(z.string(), z.unknown()) }), body);
  expect(Object.keys(flags)).toEqual(keys);
  expect(flags["no_such_999"]).toMatchObject({ reason: "ERROR", errorCode: "FLAG_NOT_FOUND" });
});

test("flags named like members of objects do not exist", async () => {
  const keys = ["__proto__", "constructor", "toString", "hasOwnProperty", ""];
  const { body } = await evaluate("{}", keys);
  const { flags } = z.parse(z.object({ flags: z.unknown() }), body);
  const told = Object.entries(flags as Record<string, { errorCode?: string }>);
  expect(told.map(([key, { errorCode }]) => [key, errorCode])).toEqual(
    keys.map((key) => [key, "FLAG_NOT_FOUND"]),
  );
});

test("after all that, an ordinary visitor is served", async () => {
  const { body } = await evaluate('{"targetingKey": "u", "version": "2.1"}');
  expect(z.parse(asked, body).flags.asked).toEqual({ variant: "on", reason: "TARGETING_MATCH" });
});
