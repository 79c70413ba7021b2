import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { deliveryOf } from "./delivery.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a place that is met late on a page that goes on is sent within ten seconds, and again what came after", () => {
  const met: string[] = [];
  const sent: string[] = [];
  const { stop } = deliveryOf(() => sent.push(...met.splice(0)));
  vi.advanceTimersByTime(14_000);
  expect(sent).toEqual([]);
  met.push("late");
  vi.advanceTimersByTime(6_000);
  expect(sent).toEqual(["late"]);
  met.push("later");
  vi.advanceTimersByTime(9_999);
  expect(sent).toEqual(["late"]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["late", "later"]);
  stop();
});

test("when the page has passed, the rest is sent at once, and nothing waits any more", async () => {
  const sendings: number[] = [];
  const { done, stop } = deliveryOf(() => sendings.push(Date.now()));
  const begun = Date.now();
  vi.advanceTimersByTime(3_000);
  stop();
  await done;
  expect(sendings).toEqual([begun + 3_000]);
  vi.advanceTimersByTime(60_000);
  expect(sendings).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
