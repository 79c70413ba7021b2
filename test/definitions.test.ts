/** What a user defines over HTTP is what visitors get: flags, overrides, prerequisites, segments, holdouts, layers and rising traffic. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { bucket } from "../core/index.ts";
import { inParallel, startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const evaluation = z.object({
  version: z.number(),
  flags: z.record(
    z.string(),
    z.object({
      value: z.optional(z.unknown()),
      variant: z.optional(z.string()),
      reason: z.string(),
      experiment: z.optional(z.string()),
    }),
  ),
});
type Flags = z.output<typeof evaluation>["flags"];

const salted = z.looseObject({ salt: z.string() });

let system: System;
let server: string;

const send = (method: string, path: string, body?: object, headers?: Record<string, string>) =>
  system.call(method, `/api/v1/${path}`, {
    ...(body !== undefined && { body }),
    ...(headers !== undefined && { headers }),
  });
const define = (path: string, body: object) => system.expectOk(salted, send("POST", path, body));

async function evaluate(context: object, flags: string[]): Promise<z.output<typeof evaluation>> {
  const body = { context, flags, exposures: false };
  return await system.expectOk(
    evaluation,
    system.call("POST", "/api/v1/evaluate", { body, key: server }),
  );
}

const units = Array.from({ length: 2_000 }, (_, i) => `unit-${i}`);

/** What each unit gets of each flag. */
async function evaluateUnits(flags: string[], context: object = {}): Promise<Map<string, Flags>> {
  const answers = new Map<string, Flags>();
  await inParallel(units, 16, async (targetingKey) => {
    answers.set(targetingKey, (await evaluate({ ...context, targetingKey }, flags)).flags);
  });
  return answers;
}

/** Asks until what is in force now is evaluated; propagation has a bound, this gives up well beyond it. */
async function propagated(): Promise<void> {
  const { body } = await send("GET", "audit?limit=1");
  const { entries } = z.parse(
    z.object({ entries: z.array(z.object({ version: z.number() })) }),
    body,
  );
  const deadline = Date.now() + 60_000;
  while ((await evaluate({}, [])).version < (entries[0]?.version ?? 0)) {
    if (Date.now() > deadline) throw new Error("did not propagate within a minute");
  }
}

const onOff = {
  type: "boolean",
  variants: [
    { key: "on", value: true },
    { key: "off", value: false },
  ],
  defaultVariant: "off",
};
const theme = {
  key: "theme",
  type: "object",
  variants: [
    { key: "light", value: { background: "#fff" } },
    { key: "dark", value: { background: "#000" } },
  ],
  defaultVariant: "light",
  offVariant: "light",
  overrides: { dark: ["unit-7"] },
  prerequisites: [{ flag: "redesign", variants: ["on"] }],
  rules: [
    { when: { targetingKey: { $inGroup: "staff" } }, serve: "dark" },
    {
      when: { country: { $in: ["US", "CA"] } },
      rollout: 40,
      split: [
        { variant: "dark", weight: 25 },
        { variant: "light", weight: 50 },
      ],
    },
  ],
};
const experiment = (key: string, more: object) => ({
  key,
  variants: [
    { key: "control", weight: 50, value: "old", isControl: true },
    { key: "treatment", weight: 50, value: "new" },
  ],
  metrics: { primary: ["bought"] },
  plan: { maximumSampleSize: 1_000 },
  ...more,
});

let salts: { theme: string; quiet: string; page: string };
let before: Map<string, Flags>;

beforeAll(async () => {
  system = await startSystem();
  server = await system.newKey("server");
  await send("POST", "metrics", { key: "bought", type: "proportion", event: "buy" });
  await send("POST", "segments", { key: "staff", values: ["unit-1", "unit-2"] });
  await define("flags", {
    key: "redesign",
    ...onOff,
    rules: [{ when: { beta: true }, serve: "on" }],
  });
  const { salt: quiet } = await define("holdouts", { key: "quiet", percent: 10 });
  const { salt: page } = await define("layers", { key: "page" });
  salts = { theme: (await define("flags", theme)).salt, quiet, page };
  for (const [key, traffic] of [
    ["hero", 30],
    ["footer", 40],
    ["banner", 40],
  ] as const) {
    await send("POST", "experiments", experiment(key, { layer: "page", traffic }));
  }
  for (const key of ["hero", "footer"]) {
    expect((await send("POST", `experiments/${key}/start`)).status).toBe(200);
  }
  before = await evaluateUnits(["hero", "footer"]);
});
afterAll(() => system.destroy());

describe("a flag", () => {
  const themeOf = async (context: object) => (await evaluate(context, ["theme"])).flags["theme"];

  test("serves its off variant until its prerequisite is met", async () => {
    expect(await themeOf({ targetingKey: "unit-1" })).toEqual({
      value: { background: "#fff" },
      variant: "light",
      reason: "DISABLED",
    });
    expect(await themeOf({ targetingKey: "unit-1", beta: true })).toMatchObject({
      variant: "dark",
    });
  });

  test("serves an overridden unit its variant, whatever the rules say", async () => {
    const context = { targetingKey: "unit-7", beta: true };
    expect(await themeOf(context)).toMatchObject({ variant: "dark", reason: "TARGETING_MATCH" });
    expect(await themeOf({ ...context, targetingKey: "unit-8" })).toMatchObject({
      variant: "light",
      reason: "DEFAULT",
    });
  });

  test("rolls out by the published hash: salt:rollout below the rollout, then salt by weights, else its default", async () => {
    const answers = await evaluateUnits(["theme"], { beta: true, country: "CA" });
    const expected = units.map((unit) => {
      if (["unit-1", "unit-2", "unit-7"].includes(unit)) return "dark TARGETING_MATCH";
      const at = bucket(salts.theme, unit);
      const isOut = bucket(`${salts.theme}:rollout`, unit) >= 4_000 || at >= 7_500;
      return isOut ? "light DEFAULT" : `${at < 2_500 ? "dark" : "light"} SPLIT`;
    });
    const got = units.map((unit) => {
      const { variant, reason } = answers.get(unit)?.["theme"] ?? {};
      return `${variant} ${reason}`;
    });
    expect(got).toEqual(expected);
    expect(new Set(expected).size).toBe(4);
  });
});

const assigned = (answers: Map<string, Flags>, flag: string) =>
  units.filter((unit) => answers.get(unit)?.[flag]?.experiment === flag);

describe("experiments of a layer", () => {
  test("never have a unit in common, and have the share that they asked for", () => {
    const [hero, footer] = [assigned(before, "hero"), assigned(before, "footer")];
    expect(hero.filter((unit) => footer.includes(unit))).toEqual([]);
    const inSlots = (from: number, to: number) =>
      units.filter((unit) => {
        const at = bucket(salts.page, unit);
        return at >= from && at < to && bucket(salts.quiet, unit) >= 1_000;
      });
    expect(hero).toEqual(inSlots(0, 3_000));
    expect(footer).toEqual(inSlots(3_000, 7_000));
  });

  test("assign nobody whom a holdout keeps out", () => {
    const held = units.filter((unit) => bucket(salts.quiet, unit) < 1_000);
    expect(held.length).toBeGreaterThan(150);
    for (const unit of held) {
      expect(before.get(unit)).toMatchObject({
        hero: { variant: "control", reason: "DEFAULT" },
        footer: { variant: "control", reason: "DEFAULT" },
      });
    }
  });

  test("are refused when the layer is full, by its name and what is free; nothing is started", async () => {
    const refused = await send("POST", "experiments/banner/start");
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      code: "not-possible",
      detail: expect.stringContaining("The layer page has 30 % of its units free"),
    });
    expect((await send("GET", "experiments/banner")).body).toMatchObject({ status: "draft" });
    expect((await send("GET", "layers/page")).body).toMatchObject({
      key: "page",
      experiments: [
        { key: "banner", status: "draft", slots: [] },
        { key: "footer", status: "running", slots: [[3_000, 7_000]] },
        { key: "hero", status: "running", slots: [[0, 3_000]] },
      ],
      free: 30,
    });
  });

  test("grow without moving anybody, and can then not grow into each other", async () => {
    expect((await send("POST", "experiments/hero/ramp", { traffic: 10 })).body).toMatchObject({
      detail: expect.stringContaining("take units out that have met their variant"),
    });
    const ramped = await send("POST", "experiments/hero/ramp", {
      traffic: 50,
      reason: "it is safe",
    });
    expect(ramped.body).toMatchObject({ traffic: 50, status: "running" });
    const full = await send("POST", "experiments/footer/ramp", { traffic: 51 });
    expect([full.status, full.body]).toMatchObject([
      422,
      { detail: expect.stringContaining("The layer page has 10 %") },
    ]);
    await propagated();
    const after = await evaluateUnits(["hero", "footer"]);
    for (const flag of ["hero", "footer"]) {
      const had = assigned(before, flag);
      expect(had.map((unit) => after.get(unit)?.[flag])).toEqual(
        had.map((unit) => before.get(unit)?.[flag]),
      );
    }
    expect(assigned(after, "footer")).toEqual(assigned(before, "footer"));
    const [hero, footer] = [assigned(after, "hero"), assigned(after, "footer")];
    expect(hero.length).toBeGreaterThan(assigned(before, "hero").length * 1.4);
    expect(hero.filter((unit) => footer.includes(unit))).toEqual([]);
  });

  test("give their buckets back when they are completed", async () => {
    expect((await send("POST", "experiments/footer/complete")).status).toBe(200);
    expect((await send("POST", "experiments/banner/start")).status).toBe(200);
    expect((await send("GET", "layers/page")).body).toMatchObject({
      experiments: [
        { key: "banner", slots: [[3_000, 7_000]] },
        {
          key: "hero",
          slots: [
            [0, 3_000],
            [7_000, 9_000],
          ],
        },
      ],
      free: 10,
    });
  });
});
