import { describe, expect, test } from "vitest";
import { operators } from "./operators.ts";
import type { Json } from "./types.ts";
import { validateCondition } from "./validate-condition.ts";

function paths(condition: Json): string[] {
  return validateCondition(condition).map(({ path }) => path);
}

test.each([
  { country: "US" },
  { country: { $in: ["US", "CA"] }, version: { $vgte: "16.0" } },
  { $or: [{ a: 1 }, { $not: { b: { $gt: 5, $lt: 10 } } }], $nor: [] },
  { tags: { $all: ["a", { $regex: "^b" }], $size: { $gte: 2 } } },
  { items: { $elemMatch: { name: "x", "price.net": { $lt: 5 } } } },
  { email: { $not: { $regexi: "@example\\.com$" } } },
  { since: { $onOrAfter: "2026-01-01", $before: 1_800_000_000_000 } },
  {
    a: null,
    b: { $exists: false },
    c: { $type: "string" },
    d: { $eq: { x: 1 } },
    e: { f: { g: 1 } },
  },
  {},
])("%j may be published", (condition) => {
  expect(validateCondition(condition)).toEqual([]);
});

describe("what is wrong is named with its place", () => {
  test.each<[Json, string[]]>([
    ["US", [""]],
    [[], [""]],
    [{ $and: { a: 1 } }, ["/$and"]],
    [{ $or: [{ a: 1 }, "b"] }, ["/$or/1"]],
    [{ $not: [{ a: 1 }] }, ["/$not"]],
    [{ $in: ["US"] }, ["/$in"]],
    [{ a: { $like: "x" } }, ["/a/$like"]],
    [{ a: { $or: [{ $gt: 1 }] } }, ["/a/$or"]],
    [{ a: {} }, ["/a"]],
    [{ "": 1, "a..b": 2 }, ["/", "/a..b"]],
    [{ "a/b~c": { $like: 1 } }, ["/a~1b~0c/$like"]],
    [{ a: { $gt: 1, b: 2 } }, ["/a/$gt"]],
    [{ a: { b: { $gt: 1 } } }, ["/a/b/$gt"]],
    [
      { a: { $in: "x" }, b: { $nin: [{}] }, c: { $ini: [[]] }, d: { $nini: 1 } },
      ["/a/$in", "/b/$nin", "/c/$ini", "/d/$nini"],
    ],
    [{ a: { $all: "x", $alli: { b: 1 } } }, ["/a/$all", "/a/$alli"]],
    [{ a: { $all: [{ $like: 1 }] } }, ["/a/$all/0/$like"]],
    [
      { a: { $gt: null, $gte: true, $lt: [], $lte: {} } },
      ["/a/$gt", "/a/$gte", "/a/$lt", "/a/$lte"],
    ],
    [{ a: { $vgt: 1, $veq: "next", $vlt: "1".repeat(300) } }, ["/a/$vgt", "/a/$veq", "/a/$vlt"]],
    [
      { a: { $before: "soon", $after: null, $onOrBefore: "2026-02-30" } },
      ["/a/$before", "/a/$after", "/a/$onOrBefore"],
    ],
    [{ a: { $exists: 1, $type: "text" } }, ["/a/$exists", "/a/$type"]],
    [
      { a: { $size: -1 }, b: { $size: "1" }, c: { $size: { $gt: "x", $like: 1 } } },
      ["/a/$size", "/b/$size", "/c/$size/$like"],
    ],
    [
      {
        a: { $elemMatch: 1 },
        b: { $elemMatch: { $like: 1 } },
        c: { $elemMatch: { d: { $like: 1 } } },
      },
      ["/a/$elemMatch", "/b/$elemMatch/$like", "/c/$elemMatch/d/$like"],
    ],
    [
      {
        a: { $regex: "(a+)+" },
        b: { $regexi: "(" },
        c: { $notRegex: 1 },
        d: { $notRegexi: "x".repeat(501) },
      },
      ["/a/$regex", "/b/$regexi", "/c/$notRegex", "/d/$notRegexi"],
    ],
    [{ a: { $not: { $like: 1 } } }, ["/a/$not/$like"]],
    [{ a: { $inGroup: 1, $notInGroup: ["x"] } }, ["/a/$inGroup", "/a/$notInGroup"]],
  ])("%j", (condition, expected) => {
    expect(paths(condition)).toEqual(expected);
  });
});

test("segments must be known, when the known ones are given", () => {
  const condition = { id: { $inGroup: "beta", $notInGroup: "alpha" } };
  expect(validateCondition(condition)).toEqual([]);
  expect(validateCondition(condition, { segments: new Set(["beta"]) })).toEqual([
    { path: "/id/$notInGroup", message: "there is no segment alpha" },
  ]);
});

function nested(levels: number): Json {
  let condition: Json = { a: 1 };
  for (let i = 1; i < levels; i++) condition = { $not: condition };
  return condition;
}

test("nesting is bounded, at any depth without overflow", () => {
  expect(paths(nested(20))).toEqual([]);
  expect(paths(nested(21))).toEqual([""]);
  expect(paths(nested(200_000))).toEqual([""]);
});

test.each([...operators.keys(), "$not", "$all", "$alli", "$size", "$elemMatch"])(
  "%s, which is evaluated, is known here",
  (operator) => {
    const messages = validateCondition({ a: { [operator]: "1" } }).map(({ message }) => message);
    expect(messages).not.toContain("is not an operator");
  },
);
