import { expect, test } from "vitest";
import { OutcomeLog, outcomeHash } from "./outcome-log.ts";

const outcome = (hash: number, timeMs: number) => {
  return { hash, nameId: 40, timeMs, value: 2.5, delayMinutes: 3 };
};

test("an outcome's hash never changes: stored ones are recognised by it", () => {
  // murmur3(id) * 2**21 + (murmur3("\x1f" + id) >> 11), x86 32-bit, seed 0: computed apart from hash32, in Python.
  expect(["", "o1", "0197-ü"].map(outcomeHash)).toEqual([
    1406256, 7510451145772774, 8116279561977072,
  ]);
});

test("what is stored is read again, known by its hash, and let go of by its time", () => {
  const log = new OutcomeLog(1_000, "");
  log.push(outcome(2 ** 53 - 1, 990));
  const before = log.text;
  log.push(outcome(7, 5_000));
  expect(log.text.startsWith(before)).toBe(true);
  const read = new OutcomeLog(1_000, log.text);
  expect(read.all).toEqual([outcome(2 ** 53 - 1, 990), outcome(7, 5_000)]);
  expect([7, 2 ** 53 - 1, 8].map((hash) => read.has(hash))).toEqual([true, true, false]);
  read.dropBefore(1_000);
  expect(new OutcomeLog(1_000, read.text).all).toEqual([outcome(7, 5_000)]);
  expect(read.has(2 ** 53 - 1)).toBe(false);
});

test("text that is cut off is refused", () => {
  const log = new OutcomeLog(0, "");
  log.push(outcome(7, 5_000));
  expect(() => new OutcomeLog(0, log.text.slice(0, -1))).toThrow(RangeError);
});
