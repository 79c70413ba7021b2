import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { rateLimiter } from "./rate-limiter.ts";

/** vitest.config.ts: three counts a minute, of a thousand requests each. */
const allowed = 3 * 1_000;
const startOfMinute = Math.ceil(Date.now() / 60_000) * 60_000;

function parts(binding = env.KEY_REQUESTS) {
  const limiter = rateLimiter(binding);
  const background: Promise<unknown>[] = [];
  return {
    take: (key: string, nowMs: number) => limiter.take(key, nowMs, (work) => background.push(work)),
    settled: () => Promise.all(background),
  };
}

test("a key that asks too often is refused until the minute ends, and told how long that is; another is not", async () => {
  const { take, settled } = parts();
  for (let i = 0; i < allowed + 1_000; i++) {
    expect(take("busy", startOfMinute)).toBe(0);
    if (i % 1_000 === 999) await settled();
  }
  expect(take("busy", startOfMinute + 1)).toBe(60);
  expect(take("busy", startOfMinute + 17_500)).toBe(43);
  expect(take("busy", startOfMinute + 59_999)).toBe(1);
  expect(take("quiet", startOfMinute + 1)).toBe(0);
  expect(take("busy", startOfMinute + 60_000)).toBe(0);
});

test("the platform's limiter is asked once for a thousand requests", () => {
  const limit = vi.fn<RateLimit["limit"]>(async () => ({ success: true }));
  const { take } = parts({ limit });
  for (let i = 0; i < 5_999; i++) take("key", startOfMinute);
  expect(limit).toHaveBeenCalledTimes(5);
  expect(limit).toHaveBeenLastCalledWith({ key: "key" });
});

test("a limiter that fails refuses nobody", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const limit = () => Promise.reject(new Error("down"));
  const { take, settled } = parts({ limit });
  for (let i = 0; i < 1_000; i++) take("key", startOfMinute);
  await settled();
  expect(take("key", startOfMinute)).toBe(0);
  vi.restoreAllMocks();
});
