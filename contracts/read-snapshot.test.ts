import { assert, constantFrom, integer, jsonValue, oneof, property } from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import type { Json, Snapshot } from "../core/types.ts";
import { isSnapshot, readSnapshot } from "./read-snapshot.ts";
import { snapshot } from "./snapshot.ts";

const whole: Snapshot = {
  formatVersion: 1,
  environment: "e",
  version: 3,
  flags: [
    {
      key: "f",
      type: "object",
      variants: [
        { key: "on", value: { a: [1, null] } },
        { key: "off", value: null },
      ],
      defaultVariant: "off",
      offVariant: "off",
      enabled: true,
      salt: "s",
      overrides: { on: ["u1", "u2"] },
      prerequisites: [{ flag: "g", variants: ["on"] }],
      rules: [
        { when: { country: { $in: ["US"] } }, serve: "on" },
        {
          when: {},
          unit: "user",
          rolloutBasisPoints: 100,
          split: [{ variant: "on", weightBasisPoints: 10_000 }],
        },
        { when: { a: 1 }, experiment: "x" },
      ],
    },
  ],
  experiments: [
    {
      key: "x",
      hashVersion: 1,
      phase: 2,
      salt: "s",
      unit: "user",
      control: "off",
      variants: [{ variant: "on", weightBasisPoints: 5_000 }],
      targeting: { plan: "team" },
      layer: null,
      layerSalt: "l",
      slots: [[0, 5_000]],
      dimensions: ["country"],
      startAt: 1,
      endAt: 2,
    },
  ],
  holdouts: [{ key: "h", salt: "s", unit: "user", basisPoints: 100, layer: "checkout" }],
  segments: [{ key: "g", values: ["a", 1, null] }],
};

/** Every place in a value, by its path. */
function pathsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const inside = Object.entries(value).flatMap(([key, each]) => pathsIn(each, [...path, key]));
  return [path, ...inside];
}

const removed = Symbol("removed");

/** A copy with another value at the path, or none. */
function changed(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, each]) => {
    const made = name === key ? changed(each, rest, to) : each;
    return made === removed ? [] : [[name, made] as const];
  });
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

const expectAgreement = (json: unknown) => {
  expect(isSnapshot(json)).toBe(z.safeParse(snapshot, json).success);
};

const paths = pathsIn(whole).filter((path) => path.length > 0);

test("a snapshot with everything in it is read as it is", () => {
  expect(readSnapshot(JSON.stringify(whole))).toEqual(whole);
});

test.each(paths.map((path) => [path.join("/"), path] as const))(
  "without %s the schema decides alike",
  (_name, path) => {
    expectAgreement(changed(whole, path, removed));
  },
);

test("what is taken is what the schema takes, whatever is changed", () => {
  const replacement = oneof(constantFrom<Json[]>("", 0, -1, true, null, [], {}), jsonValue());
  let refused = 0;
  assert(
    property(integer({ min: 0, max: paths.length - 1 }), replacement, (at, to) => {
      const json = changed(whole, paths[at] ?? [], JSON.parse(JSON.stringify(to)));
      expectAgreement(json);
      if (!isSnapshot(json)) refused += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(refused).toBeGreaterThan(500);
});

test("what is no snapshot is refused with the place", () => {
  const json = changed(whole, ["flags", "0", "salt"], 7);
  expect(() => readSnapshot(JSON.stringify(json))).toThrow(/salt/);
  expect(() => readSnapshot("{")).toThrow(SyntaxError);
});
