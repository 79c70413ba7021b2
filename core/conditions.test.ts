import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sharedFile } from "../test/shared-folder.ts";
import { matches } from "./conditions.ts";

interface Case {
  name: string;
  condition: Parameters<typeof matches>[0];
  attributes: Parameters<typeof matches>[1];
  expected: boolean;
  segments?: Parameters<typeof matches>[2];
}

const file = sharedFile("conformance/conditions.json");
const parsed: unknown = file === null ? { cases: [] } : JSON.parse(readFileSync(file, "utf8"));
const { cases } = parsed as { cases: Case[] };

describe.skipIf(file === null)("the cases that GrowthBook's SDKs share", () => {
  test("all 124 are there", () => expect(cases).toHaveLength(124));
  test.each(cases)("$name", ({ condition, attributes, expected, segments }) => {
    expect(matches(condition, attributes, segments)).toBe(expected);
  });
});
