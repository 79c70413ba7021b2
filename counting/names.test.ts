import { expect, test } from "vitest";
import { Dictionary, Names } from "./names.ts";

test("a name keeps its number, and new ones are told until they are saved", () => {
  const names = new Names(["checkout", "control"]);
  expect(names.idOf("control")).toBe(1);
  expect(names.added()).toEqual([]);
  expect(names.idOf("purchase")).toBe(2);
  expect(names.idOf("purchase")).toBe(2);
  expect(names.nameOf(2)).toBe("purchase");
  expect(names.added()).toEqual([[2, "purchase"]]);
  names.saved();
  expect(names.idOf("revenue")).toBe(3);
  expect(names.added()).toEqual([[3, "revenue"]]);
  expect(() => names.nameOf(4)).toThrow("no name has the number 4");
});

test("a unit's key leads back to its environment, and keys of different kinds differ", () => {
  const dictionary = new Dictionary(new Map());
  const prefixes = [
    dictionary.keyPrefix("production", "user"),
    dictionary.keyPrefix("production", "device"),
    dictionary.keyPrefix("staging", "user"),
  ];
  expect(new Set(prefixes).size).toBe(3);
  expect(prefixes.map((prefix) => dictionary.environmentOf(`${prefix}7:8`))).toEqual([
    "production",
    "production",
    "staging",
  ]);
  const stored = dictionary.added().filter(({ environment }) => environment === "");
  const again = new Dictionary(new Map([["", stored.map(({ name }) => name)]]));
  expect(again.keyPrefix("staging", "user")).toBe(prefixes[2]);
});
