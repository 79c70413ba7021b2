import { expect, test } from "vitest";
import { exposed } from "../test/checkout-events.ts";
import { dimensionsOf } from "./dimensions.ts";
import { dimensionValues } from "./exposure-event.ts";

const counted = (attributes: Record<string, string | number | boolean>) =>
  dimensionsOf(exposed({ attributes }), ["search"])[0]?.value;

test("a value is counted alike whether evaluation took it from the context or a client reported it whole", () => {
  const long = "x".repeat(99);
  for (const search of [
    "shoes",
    `${long}yz`,
    `${long}\u{1f45f}\u{1f45f}`,
    `${long.slice(1)}\u{1f45f}z`,
  ]) {
    expect(counted(dimensionValues({ search }, ["search"]))).toBe(counted({ search }));
  }
});

test("only scalars that survive the way are taken along", () => {
  const context = { a: true, b: 0.5, c: Number.NaN, d: ["x"], e: "x\ud800", f: null };
  expect(dimensionValues(context, ["a", "b", "c", "d", "e", "f", "toString"])).toEqual({
    a: true,
    b: 0.5,
    e: "x\ufffd",
  });
});
