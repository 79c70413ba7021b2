import { expect, test } from "vitest";
import { remembered } from "./remembered.ts";

test("a flood of unknown names does not push out the known ones", async () => {
  let loads = 0;
  const known = remembered(
    async (name) => {
      loads += 1;
      return name === "known" ? "value" : null;
    },
    () => 0,
  );
  await known("known");
  for (let i = 0; i < 20_000; i++) await known(`unknown-${i}`);
  expect(loads).toBe(20_001);
  expect(await known("known")).toBe("value");
  expect(loads).toBe(20_001);
});

test("what one name is known by is never another's", async () => {
  const values = new Map([
    ["a", "of a"],
    ["b", "of b"],
  ]);
  const lookUp = remembered(
    async (name) => values.get(name) ?? null,
    () => 0,
  );
  expect(await Promise.all(["a", "b", "c", "a", "b"].map((name) => lookUp(name)))).toEqual([
    "of a",
    "of b",
    null,
    "of a",
    "of b",
  ]);
});
