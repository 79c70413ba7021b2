import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PackedReader, packBits, packNatural, packNumber } from "./packed-text.ts";

const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.integer(),
  fc.integer().map((hundredths) => hundredths / 100),
);

test("whatever was packed is read again, to the last bit, and lies in one line without an escape", () => {
  fc.assert(
    fc.property(fc.array(anyNumber), fc.array(fc.maxSafeNat()), (numbers, naturals) => {
      const text =
        numbers.map(packNumber).join("") +
        naturals.map((natural) => packNatural(natural) + packBits(natural)).join("");
      expect(JSON.stringify(text)).toBe(`"${text}"`);
      const packed = new PackedReader(text, 0);
      // -0 is read as 0, as JSON has it, too.
      for (const number of numbers) expect(packed.number() + 0).toBe(number + 0);
      for (const natural of naturals) {
        expect(packed.natural()).toBe(natural);
        expect(packed.bits()).toBe(natural);
      }
      expect(packed.isAtEnd).toBe(true);
    }),
  );
});

test("packed numbers stay readable", () => {
  const numbers = [0, -1, 7, 19.99, 1 / 3, 1e300].map(packNumber);
  expect(numbers).toEqual(["A", "E", "4B", "5zP", "qC0.3333333333333333", "a1e+300"]);
  expect([0, 31, 32, 2 ** 52].map(packNatural)).toEqual(["A", "f", "gB", "ggggggggggE"]);
  expect(packBits(2 ** 53 - 1)).toBe("________f");
});

test("what was not packed is refused", () => {
  for (const text of ["", "g", '"', "é", "qC0.33"]) {
    expect(() => new PackedReader(text, 0).number()).toThrow(RangeError);
  }
  expect(() => new PackedReader("AAAA", 0).bits()).toThrow(RangeError);
});
