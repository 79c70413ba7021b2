import { expect, test } from "vitest";
import type { Context } from "./types.ts";
import { unitIdOf } from "./unit.ts";

test.each([
  ["u", "u"],
  [" ", " "],
  [7, "7"],
  [-0, "0"],
  [1.5, "1.5"],
  ["", null],
  [Number.NaN, null],
  [Infinity, null],
  [true, null],
  [null, null],
  [undefined, null],
  [["u"], null],
  [{ id: "u" }, null],
  [12n, null],
])("%o is the unit %o", (value, expected) => {
  expect(unitIdOf({ id: value }, "id")).toBe(expected);
});

test("a unit is never inherited", () => {
  expect(unitIdOf({}, "constructor")).toBeNull();
  expect(unitIdOf({}, "__proto__")).toBeNull();
  const inherited: Context = {};
  Object.setPrototypeOf(inherited, { id: "u" });
  expect(unitIdOf(inherited, "id")).toBeNull();
  const own = Object.defineProperty({}, "__proto__", { value: "u" });
  expect(unitIdOf(own, "__proto__")).toBe("u");
});
