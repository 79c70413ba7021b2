/// <reference types="node" />
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

function areCases(value: unknown): value is { cases: Case[] } {
  return typeof value === "object" && value !== null && "cases" in value;
}

const file = sharedFile("conformance/conditions.json");
const parsed: unknown = file === null ? null : JSON.parse(readFileSync(file, "utf8"));
const cases = areCases(parsed) ? parsed.cases : [];

describe.skipIf(file === null)("the cases that GrowthBook's SDKs share", () => {
  test("all 124 are there", () => expect(cases).toHaveLength(124));
  test.each(cases)("$name", ({ condition, attributes, expected, segments }) => {
    expect(matches(condition, attributes, segments)).toBe(expected);
  });
});
