/** Definitions as their editors meet them: read, changed and sent back, versioned, archived; nobody's change is lost, nothing in use goes away. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

let system: System;
const send = (method: string, path: string, body?: object, headers?: Record<string, string>) =>
  system.call(method, `/api/v1/${path}`, {
    ...(body !== undefined && { body }),
    ...(headers !== undefined && { headers }),
  });

const onOff = {
  type: "boolean",
  variants: [
    { key: "on", value: true },
    { key: "off", value: false },
  ],
  defaultVariant: "off",
};
const experiment = (key: string, more: object = {}) => ({
  key,
  variants: [
    { key: "control", weight: 50, value: "old", isControl: true },
    { key: "treatment", weight: 50, value: "new" },
  ],
  metrics: { primary: ["bought"] },
  plan: { maximumSampleSize: 1_000 },
  ...more,
});

beforeAll(async () => {
  system = await startSystem();
  const staff = { targetingKey: { $inGroup: "staff" } };
  for (const [path, body] of [
    ["metrics", { key: "bought", type: "proportion", event: "buy" }],
    ["segments", { key: "staff", values: ["unit-1"] }],
    ["layers", { key: "page" }],
    ["flags", { key: "redesign", ...onOff }],
    [
      "flags",
      {
        key: "theme",
        ...onOff,
        prerequisites: [{ flag: "redesign", variants: ["on"] }],
        rules: [{ when: staff, serve: "on" }],
      },
    ],
    ["experiments", experiment("hero", { layer: "page", traffic: 50 })],
    ["experiments", experiment("footer")],
    ["experiments/hero/start", {}],
    ["experiments/footer/start", {}],
    ["experiments/footer/complete", {}],
  ] as const) {
    expect([path, (await send("POST", path, body)).status]).toEqual([
      path,
      expect.toBeOneOf([200, 201]),
    ]);
  }
});
afterAll(() => system.destroy());

const flag = {
  key: "banner_text",
  ...onOff,
  rules: [{ split: [{ variant: "on", weight: 10 }] }],
};
const versioned = z.looseObject({ version: z.number() });

test("what was read can be changed and sent back, once for each version that was read", async () => {
  const made = await send("POST", "flags", flag);
  expect([made.status, made.headers.get("etag")]).toEqual([201, '"1"']);
  const read = await send("GET", "flags/banner_text");
  expect(read.headers.get("etag")).toBe('"1"');
  expect(read.body).toEqual(made.body);
  expect(read.body).toMatchObject({
    ...flag,
    version: 1,
    enabled: true,
    salt: expect.any(String),
  });

  const changed = { ...z.parse(versioned, read.body), enabled: false };
  const replaced = await send("PUT", "flags/banner_text", changed);
  expect([replaced.status, replaced.headers.get("etag")]).toEqual([200, '"2"']);
  expect(replaced.body).toMatchObject({ ...changed, version: 2, updatedAt: expect.any(String) });

  for (const stale of [
    send("PUT", "flags/banner_text", changed),
    send("PUT", "flags/banner_text", flag, { "if-match": '"1"' }),
    send("DELETE", "flags/banner_text", undefined, { "if-match": '"1"' }),
  ]) {
    const { status, body } = await stale;
    expect([status, body]).toMatchObject([412, { code: "version-mismatch" }]);
  }
  expect((await send("PUT", "flags/banner_text", flag, { "if-match": '"2"' })).status).toBe(200);
  expect((await send("PUT", "flags/banner_text", flag, { "if-match": 'W/"3"' })).status).toBe(200);
  expect((await send("PUT", "flags/banner_text", flag)).status).toBe(200);
  expect((await send("GET", "flags/banner_text")).body).toMatchObject({ version: 5 });
});

test("two at once with the same version: one is made, the other told", async () => {
  const { version } = z.parse(versioned, (await send("GET", "flags/banner_text")).body);
  const put = (enabled: boolean) => send("PUT", "flags/banner_text", { ...flag, enabled, version });
  const statuses = (await Promise.all([put(true), put(false)])).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412]);
});

test("that moves units says so, in warnings that name the place", async () => {
  const rules = [
    {
      split: [
        { variant: "off", weight: 5 },
        { variant: "on", weight: 10 },
      ],
    },
  ];
  const moved = await send("PUT", "flags/banner_text", { ...flag, rules });
  expect(moved.body).toMatchObject({
    warnings: [expect.stringMatching(/^\/rules\/0\/split: .* 5 %/)],
  });
  const longer = await send("PUT", "flags/banner_text", {
    ...flag,
    rules: [
      {
        split: [
          { variant: "off", weight: 5 },
          { variant: "on", weight: 20 },
        ],
      },
    ],
  });
  expect(longer.body).not.toHaveProperty("warnings");
});

test.each([
  ["flags", { key: "short_lived", ...onOff }],
  ["layers", { key: "short_lived", name: "Short" }],
  ["holdouts", { key: "short_lived", percent: 0.5, unit: "device", layer: "page" }],
  ["segments", { key: "short_lived", values: ["a", 1, true] }],
  ["metrics", { key: "short_lived", type: "mean", event: "pay" }],
])(
  "%s are created, listed, replaced and archived, and their keys never used again",
  async (plural, body) => {
    expect((await send("POST", plural, body)).status).toBe(201);
    const read = await send("GET", `${plural}/short_lived`);
    expect(read.body).toMatchObject(body);
    expect((await send("GET", plural)).body).toMatchObject({
      [plural]: expect.arrayContaining([read.body]),
    });
    const replaced = await send("PUT", `${plural}/short_lived`, z.parse(versioned, read.body));
    expect([replaced.status, replaced.body]).toMatchObject([200, { ...body, version: 2 }]);
    expect((await send("DELETE", `${plural}/short_lived`)).status).toBe(204);
    expect((await send("GET", `${plural}/short_lived`)).status).toBe(404);
    expect((await send("DELETE", `${plural}/short_lived`)).status).toBe(404);
    expect(JSON.stringify((await send("GET", plural)).body)).not.toContain("short_lived");
    expect((await send("POST", plural, body)).status).toBe(409);
  },
);

test("archiving what is in use is refused, naming who uses it", async () => {
  for (const [path, user] of [
    ["flags/redesign", "the flag theme"],
    ["flags/hero", "the experiment hero"],
    ["segments/staff", "the flag theme"],
    ["layers/page", "the experiment hero"],
    ["metrics/bought", "the experiment hero"],
  ]) {
    const { status, body } = await send("DELETE", path ?? "");
    expect([path, status, body]).toMatchObject([
      path,
      409,
      { code: "conflict", detail: expect.stringContaining(user ?? "") },
    ]);
  }
});

test("a draft is replaced, a started experiment is not; a completed one is archived and found by its status", async () => {
  await send("POST", "experiments", experiment("draft", { traffic: 20 }));
  const read = await send("GET", "experiments/draft");
  expect(read.headers.get("etag")).toBe('"1"');
  const changed = { ...z.parse(versioned, read.body), traffic: 80 };
  expect((await send("PUT", "experiments/draft", changed)).body).toMatchObject({ traffic: 80 });
  expect((await send("PUT", "experiments/draft", changed)).status).toBe(412);
  expect((await send("PUT", "experiments/hero", experiment("hero", {}))).status).toBe(422);
  expect((await send("POST", "experiments/hero/archive")).status).toBe(422);
  expect((await send("POST", "experiments/footer/archive")).status).toBe(200);
  expect((await send("DELETE", "experiments/draft")).status).toBe(204);
  const keysOf = async (query: string) => {
    const list = z.object({ experiments: z.array(z.object({ key: z.string() })) });
    const { experiments } = await system.expectOk(list, send("GET", `experiments${query}`));
    return experiments.map(({ key }) => key);
  };
  expect(await keysOf("?status=archived")).toEqual(["draft", "footer"]);
  expect(await keysOf("?status=running")).toEqual(["hero"]);
  expect(await keysOf("")).toEqual(["hero"]);
  expect((await send("GET", "experiments?status=done")).status).toBe(400);
});

test("of another environment touches nothing here", async () => {
  const headers = { "x-edgewise-environment": "other/production" };
  expect((await send("GET", "flags/theme", undefined, headers)).status).toBe(404);
  const other = { key: "theme", ...onOff };
  expect((await send("POST", "flags", other, headers)).status).toBe(201);
  expect((await send("DELETE", "flags/theme", undefined, headers)).status).toBe(204);
  expect((await send("GET", "flags/theme")).body).toMatchObject({
    prerequisites: expect.anything(),
  });
});
