import { describe, expect, test } from "vitest";
import { prerequisiteCycle } from "./prerequisites.ts";

/** Flags by key with the keys that they need. */
function flags(needs: { [key: string]: string[] }) {
  return Object.entries(needs).map(([key, needed]) => ({
    key,
    prerequisites: needed.map((flag) => ({ flag, variants: ["on"] })),
  }));
}

describe("prerequisiteCycle", () => {
  test("there is none in a chain, a diamond or beside unknown flags", () => {
    expect(prerequisiteCycle(flags({ a: ["b"], b: ["c"], c: [] }))).toBeNull();
    expect(prerequisiteCycle(flags({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }))).toBeNull();
    expect(prerequisiteCycle(flags({ a: ["nobody"] }))).toBeNull();
    expect(prerequisiteCycle([{ key: "a" }])).toBeNull();
  });

  test("it is given from a flag back to itself, without what only leads to it", () => {
    expect(prerequisiteCycle(flags({ a: ["a"] }))).toEqual(["a", "a"]);
    expect(prerequisiteCycle(flags({ a: ["b"], b: ["a"] }))).toEqual(["a", "b", "a"]);
    expect(
      prerequisiteCycle(flags({ x: ["a"], a: ["ok", "b"], b: ["c"], c: ["a"], ok: [] })),
    ).toEqual(["a", "b", "c", "a"]);
  });

  test("a flag named twice as a prerequisite is not a cycle", () => {
    expect(prerequisiteCycle(flags({ a: ["b", "b"], b: ["c"], c: [] }))).toBeNull();
  });

  test("a chain of 100,000 flags neither overflows nor takes long", () => {
    const long = Array.from({ length: 100_000 }, (_, i) => ({
      key: `f${i}`,
      prerequisites: [{ flag: `f${i + 1}`, variants: ["on"] }],
    }));
    expect(prerequisiteCycle(long)).toBeNull();
    const [first] = long;
    expect(
      prerequisiteCycle([
        ...long,
        { ...first, key: "f100000", prerequisites: [{ flag: "f0", variants: [] }] },
      ]),
    ).toHaveLength(100_002);
  });
});
