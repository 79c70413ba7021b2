import { describe, expect, test } from "vitest";
import { decide } from "./decide.ts";

describe("a message is answered", () => {
  test("with an acknowledgement once it is counted", () => {
    expect(decide({ kind: "counted" }, 1)).toEqual({ action: "ack" });
  });

  test("by putting it aside with the reason when it cannot be read, at the first attempt", () => {
    expect(decide({ kind: "unreadable", reason: "not JSON" }, 1)).toEqual({
      action: "dead-letter",
      reason: "not JSON",
    });
  });

  test("with ever later retries while R2, D1 or KV fail, never with a dead letter", () => {
    const delays = [1, 2, 5, 10, 39, 40, 100].map((attempts) =>
      decide({ kind: "unavailable" }, attempts),
    );
    expect(delays).toEqual(
      [2, 4, 32, 900, 900, 14_400, 14_400].map((delaySeconds) => ({
        action: "retry",
        delaySeconds,
      })),
    );
  });

  test("within a minute when the plan has not arrived yet", () => {
    expect(decide({ kind: "plan-behind" }, 1)).toEqual({ action: "retry", delaySeconds: 2 });
    expect(decide({ kind: "plan-behind" }, 9)).toEqual({ action: "retry", delaySeconds: 60 });
  });

  test("the 100 attempts of a queue outlast the ten days of an outage, within its delays of 24 hours", () => {
    let seconds = 0;
    for (let attempts = 1; attempts <= 100; attempts++) {
      const decided = decide({ kind: "unavailable" }, attempts);
      if (decided.action !== "retry") throw new Error(decided.action);
      expect(decided.delaySeconds).toBeLessThanOrEqual(86_400);
      seconds += decided.delaySeconds;
    }
    expect(seconds / 86_400).toBeGreaterThan(10);
  });
});
